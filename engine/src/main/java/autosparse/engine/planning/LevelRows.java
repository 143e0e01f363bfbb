package autosparse.engine.planning;

import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The coordinates of one level of a batch on the host: what a planning device counts sites and
 * pairs from. They are read, and coarser levels made of them, when a count needs them, and go with
 * the sites that they belong to. Of a range that must not be read at once, parts are, and made
 * coarser, anew for each count.
 */
final class LevelRows {
  private final Supplier<List<RowSource>> reader;
  private List<RowSource> matrices;

  private LevelRows(Supplier<List<RowSource>> reader) {
    this.reader = reader;
  }

  /** Of level 0, not read yet. */
  static LevelRows of(List<RowRange> batch) {
    return new LevelRows(() -> batch.stream().map(LevelRows::held).toList());
  }

  /** Of level 0, which has just been read for another reason. */
  static LevelRows of(List<RowRange> batch, Map<RowRange, Sites.Pattern> read) {
    List<RowSource> patterns = batch.stream().map(r -> (RowSource) read.get(r)).toList();
    return new LevelRows(() -> patterns);
  }

  private static RowSource held(RowRange range) {
    return range.parts().size() == 1 ? range.read() : range;
  }

  /** The level of floor(coordinate / stride). */
  LevelRows coarser(int stride) {
    return new LevelRows(() -> matrices().stream().map(m -> coarser(m, stride)).toList());
  }

  private static RowSource coarser(RowSource fine, int stride) {
    CoarserRows coarser = new CoarserRows(fine, stride);
    return fine instanceof Sites.Pattern ? coarser.read(0, coarser.rows()) : coarser;
  }

  /** The level's coordinates of each matrix, in lattice steps of the level. */
  private List<RowSource> matrices() {
    if (matrices == null) {
      matrices = reader.get();
    }
    return matrices;
  }

  /**
   * A coarser level of a matrix that is not held: made of the finer one's rows when it is read.
   *
   * @param fine the finer level
   */
  private record CoarserRows(RowSource fine, int stride) implements RowSource {
    @Override
    public long rows() {
      return (fine.rows() + stride - 1) / stride;
    }

    @Override
    public long columns() {
      return (fine.columns() + stride - 1) / stride;
    }

    @Override
    public long rangeBytes() {
      return fine.rangeBytes();
    }

    @Override
    public long rangeEnd(long firstRow) {
      long end = fine.rangeEnd(firstRow * stride);
      return end == fine.rows() ? rows() : Math.max(firstRow + 1, end / stride);
    }

    /** Reads the rows before: no one else knows. */
    @Override
    public long sitesBefore(long row) {
      long sites = 0;
      long from = 0;
      while (from < row) {
        long end = Math.min(row, rangeEnd(from));
        sites += read(from, end).sites();
        from = end;
      }
      return sites;
    }

    @Override
    public Sites.Pattern read(long firstRow, long endRow) {
      return merged(fine.read(firstRow * stride, Math.min(fine.rows(), endRow * stride)), stride);
    }
  }

  private static Sites.Pattern merged(Sites.Pattern fine, int stride) {
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
    long[] first = new long[matrices().size() + 1];
    for (int b = 0; b < matrices().size(); b++) {
      first[b + 1] = first[b] + matrices().get(b).sites();
    }
    return first;
  }

  /** Site number at which a lattice row of the stacked batch starts. */
  long firstSite(long row) {
    long first = 0;
    long firstRow = 0;
    for (RowSource matrix : matrices()) {
      if (row < firstRow + matrix.rows()) {
        return first + matrix.sitesBefore(row - firstRow);
      }
      firstRow += matrix.rows();
      first += matrix.sites();
    }
    return first;
  }

  /**
   * First site of each unit of the one matrix, the last of which may be cut short, then the end.
   */
  long[] firstSitesByUnit(int unitRows) {
    RowSource matrix = matrices().get(0);
    int units = Math.toIntExact((matrix.rows() + unitRows - 1) / unitRows);
    long[] first = new long[units + 1];
    for (int unit = 0; unit <= units; unit++) {
      first[unit] = matrix.sitesBefore(Math.min(matrix.rows(), (long) unit * unitRows));
    }
    return first;
  }

  /**
   * As {@link #pairs} of the one matrix, by the unit that the output is in and by how many units
   * the input is further on.
   *
   * @param unitRows rows of a unit of inputs
   * @param known units whose outputs are not to be looked at
   * @param most units that a pair is apart
   * @return [units, 2·most + 1]: element [u, most + a] is of outputs of unit u and inputs of u + a
   */
  long[][] pairsByUnit(
      LevelRows outputs, ConvolutionKernel kernel, int unitRows, boolean[] known, int most) {
    Sites.Pattern in = matrices().get(0).read(0, matrices().get(0).rows());
    Sites.Pattern out = outputs.matrices().get(0).read(0, outputs.matrices().get(0).rows());
    int unitOutputs = unitRows / kernel.stride();
    long[][] pairs = new long[known.length][2 * most + 1];
    IntStream.range(0, known.length)
        .parallel()
        .filter(unit -> !known[unit])
        .forEach(
            unit -> {
              int end = (int) Math.min(out.rows(), (unit + 1L) * unitOutputs);
              for (int row = unit * unitOutputs; row < end; row++) {
                addPairsOfRow(in, out, kernel, row, unitRows, pairs[unit], most - unit);
              }
            });
    return pairs;
  }

  /**
   * Adds the pairs of a row of outputs to those of the units that their inputs are in.
   *
   * @param first place of the first unit's among them
   */
  private static void addPairsOfRow(
      Sites.Pattern in,
      Sites.Pattern out,
      ConvolutionKernel kernel,
      int row,
      int unitRows,
      long[] pairs,
      int first) {
    int from = (int) out.rowPointers()[row];
    int to = (int) out.rowPointers()[row + 1];
    for (int k = 0; from < to && k < kernel.offsets(); k++) {
      long inRow = (long) row * kernel.stride() + kernel.rowOffset(k);
      if (inRow >= 0 && inRow < in.rows()) {
        pairs[first + (int) (inRow / unitRows)] +=
            matches(in, (int) inRow, out, from, to, kernel, kernel.columnOffset(k));
      }
    }
  }

  /**
   * Pairs of an output of a kernel and an active input, with this level as the inputs.
   *
   * @param outputs this level itself or a coarser one
   */
  long pairs(LevelRows outputs, ConvolutionKernel kernel) {
    long total = 0;
    for (int b = 0; b < matrices().size(); b++) {
      total += pairs(matrices().get(b), outputs.matrices().get(b), kernel);
    }
    return total;
  }

  private static long pairs(RowSource in, RowSource out, ConvolutionKernel kernel) {
    long above = IntStream.range(0, kernel.offsets()).map(kernel::rowOffset).min().orElse(0);
    long below = IntStream.range(0, kernel.offsets()).map(kernel::rowOffset).max().orElse(0);
    long pairs = 0;
    long first = 0;
    while (first < out.rows()) {
      long end = out.rangeEnd(first);
      boolean whole = first == 0 && end == out.rows();
      long firstIn = whole ? 0 : Math.max(0, first * kernel.stride() + above);
      long endIn = whole ? in.rows() : Math.min(in.rows(), (end - 1) * kernel.stride() + below + 1);
      pairs +=
          pairs(
              in.read(Math.min(firstIn, endIn), endIn),
              out.read(first, end),
              kernel,
              first * kernel.stride() - Math.min(firstIn, endIn));
      first = end;
    }
    return pairs;
  }

  /**
   * Pairs of some rows of outputs.
   *
   * @param in the rows of inputs that they reach
   * @param shift input row, among these, at which the first output row lies
   */
  private static long pairs(
      Sites.Pattern in, Sites.Pattern out, ConvolutionKernel kernel, long shift) {
    return IntStream.range(0, Math.toIntExact(out.rows()))
        .parallel()
        .mapToLong(row -> pairsOfRow(in, out, kernel, row, shift))
        .sum();
  }

  private static long pairsOfRow(
      Sites.Pattern in, Sites.Pattern out, ConvolutionKernel kernel, int row, long shift) {
    int from = (int) out.rowPointers()[row];
    int to = (int) out.rowPointers()[row + 1];
    if (from == to) {
      return 0;
    }
    long pairs = 0;
    for (int k = 0; k < kernel.offsets(); k++) {
      long inRow = shift + (long) row * kernel.stride() + kernel.rowOffset(k);
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
