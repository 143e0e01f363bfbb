package autosparse.engine.planning;

import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The coordinates of one level of a batch on the host: what a planning device counts sites and
 * pairs from. They are read, and coarser levels made of them, when a count needs them, and go with
 * the sites that they belong to.
 */
final class LevelRows {
  private final Supplier<List<Sites.Pattern>> reader;
  private List<Sites.Pattern> patterns;

  private LevelRows(Supplier<List<Sites.Pattern>> reader) {
    this.reader = reader;
  }

  /** Of level 0, not read yet. */
  static LevelRows of(List<RowRange> batch) {
    return new LevelRows(() -> batch.stream().map(RowRange::read).toList());
  }

  /** Of level 0, which has just been read for another reason. */
  static LevelRows of(List<RowRange> batch, Map<RowRange, Sites.Pattern> read) {
    List<Sites.Pattern> patterns = batch.stream().map(read::get).toList();
    return new LevelRows(() -> patterns);
  }

  /** The level of floor(coordinate / stride). */
  LevelRows coarser(int stride) {
    return new LevelRows(() -> patterns().stream().map(p -> coarser(p, stride)).toList());
  }

  /** The level's coordinates, matrix after matrix, in lattice steps of the level. */
  private List<Sites.Pattern> patterns() {
    if (patterns == null) {
      patterns = reader.get();
    }
    return patterns;
  }

  private static Sites.Pattern coarser(Sites.Pattern fine, int stride) {
    int rows = Math.toIntExact((fine.rows() + stride - 1) / stride);
    long[] pointers = new long[rows + 1];
    IntStream.range(0, rows)
        .parallel()
        .forEach(row -> pointers[row + 1] = merge(fine, stride, row, null, 0));
    Arrays.parallelPrefix(pointers, Long::sum);
    int[] columns = new int[Math.toIntExact(pointers[rows])];
    IntStream.range(0, rows)
        .parallel()
        .forEach(row -> merge(fine, stride, row, columns, (int) pointers[row]));
    return new Sites.Pattern(rows, (fine.columns() + stride - 1) / stride, pointers, columns);
  }

  /** Merges the fine rows of one coarse row; returns its number of distinct coarse columns. */
  private static int merge(Sites.Pattern fine, int stride, int row, int[] target, int start) {
    int first = row * stride;
    int rows = (int) Math.min(stride, fine.rows() - first);
    int[] at = new int[rows];
    int[] end = new int[rows];
    for (int r = 0; r < rows; r++) {
      at[r] = (int) fine.rowPointers()[first + r];
      end[r] = (int) fine.rowPointers()[first + r + 1];
    }
    int[] columns = fine.columnIndices();
    int count = 0;
    while (true) {
      int least = Integer.MAX_VALUE;
      for (int r = 0; r < rows; r++) {
        if (at[r] < end[r]) {
          least = Math.min(least, columns[at[r]] / stride);
        }
      }
      if (least == Integer.MAX_VALUE) {
        return count;
      }
      for (int r = 0; r < rows; r++) {
        while (at[r] < end[r] && columns[at[r]] / stride == least) {
          at[r]++;
        }
      }
      if (target != null) {
        target[start + count] = least;
      }
      count++;
    }
  }

  /** First site of each matrix, then the number of sites [B+1]. */
  long[] firstSites() {
    long[] first = new long[patterns().size() + 1];
    for (int b = 0; b < patterns().size(); b++) {
      first[b + 1] = first[b] + patterns().get(b).sites();
    }
    return first;
  }

  /** Site number at which a lattice row of the stacked batch starts. */
  long firstSite(long row) {
    long first = 0;
    long firstRow = 0;
    for (Sites.Pattern pattern : patterns()) {
      if (row < firstRow + pattern.rows()) {
        return first + pattern.rowPointers()[(int) (row - firstRow)];
      }
      firstRow += pattern.rows();
      first += pattern.sites();
    }
    return first;
  }

  /**
   * Pairs of an output of a kernel and an active input, with this level as the inputs.
   *
   * @param outputs this level itself or a coarser one
   */
  long pairs(LevelRows outputs, ConvolutionKernel kernel) {
    long total = 0;
    for (int b = 0; b < patterns().size(); b++) {
      total += pairs(patterns().get(b), outputs.patterns().get(b), kernel);
    }
    return total;
  }

  private static long pairs(Sites.Pattern in, Sites.Pattern out, ConvolutionKernel kernel) {
    return IntStream.range(0, Math.toIntExact(out.rows()))
        .parallel()
        .mapToLong(row -> pairsOfRow(in, out, kernel, row))
        .sum();
  }

  private static long pairsOfRow(
      Sites.Pattern in, Sites.Pattern out, ConvolutionKernel kernel, int row) {
    int from = (int) out.rowPointers()[row];
    int to = (int) out.rowPointers()[row + 1];
    if (from == to) {
      return 0;
    }
    long pairs = 0;
    for (int k = 0; k < kernel.offsets(); k++) {
      long inRow = (long) row * kernel.stride() + kernel.rowOffset(k);
      if (inRow >= 0 && inRow < in.rows()) {
        pairs += matches(in, (int) inRow, out, from, to, kernel, kernel.columnOffset(k));
      }
    }
    return pairs;
  }

  /** Output columns c of a row with an input in column c·stride + offset: a merge of both rows. */
  private static int matches(
      Sites.Pattern in,
      int inRow,
      Sites.Pattern out,
      int from,
      int to,
      ConvolutionKernel kernel,
      int offset) {
    int at = (int) in.rowPointers()[inRow];
    int end = (int) in.rowPointers()[inRow + 1];
    int[] inputs = in.columnIndices();
    int count = 0;
    for (int o = from; o < to && at < end; o++) {
      long wanted = (long) out.columnIndices()[o] * kernel.stride() + offset;
      while (at < end && inputs[at] < wanted) {
        at++;
      }
      if (at < end && inputs[at] == wanted) {
        count++;
      }
    }
    return count;
  }
}
