package autosparse.engine.planning;

import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One level of a batch of patterns on the host: what a planning device counts sites and pairs from.
 * Counts are made once and remembered, since a planner runs many steps on one pattern.
 */
final class PatternLevel {
  private final List<Sites.Pattern> patterns;
  private final Map<Integer, PatternLevel> coarser = new HashMap<>();
  private final Map<ConvolutionKernel, Long> pairs = new HashMap<>();

  /**
   * @param patterns the level's coordinates, matrix after matrix, in lattice steps of the level
   */
  PatternLevel(List<Sites.Pattern> patterns) {
    this.patterns = List.copyOf(patterns);
  }

  /** The level of floor(coordinate / stride). */
  PatternLevel coarser(int stride) {
    return coarser.computeIfAbsent(
        stride, s -> new PatternLevel(patterns.stream().map(p -> coarser(p, s)).toList()));
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
    long[] first = new long[patterns.size() + 1];
    for (int b = 0; b < patterns.size(); b++) {
      first[b + 1] = first[b] + patterns.get(b).columnIndices().length;
    }
    return first;
  }

  /** Site number at which a lattice row of the stacked batch starts. */
  long firstSite(long row) {
    long[] first = firstSites();
    long firstRow = 0;
    for (int b = 0; b < patterns.size(); b++) {
      Sites.Pattern pattern = patterns.get(b);
      if (row < firstRow + pattern.rows()) {
        return first[b] + pattern.rowPointers()[(int) (row - firstRow)];
      }
      firstRow += pattern.rows();
    }
    return first[patterns.size()];
  }

  /** Pairs of an output of a kernel and an active input, with this level as the inputs. */
  long pairs(ConvolutionKernel kernel) {
    return pairs.computeIfAbsent(kernel, this::count);
  }

  private long count(ConvolutionKernel kernel) {
    PatternLevel outputs = kernel.isSubmanifold() ? this : coarser(kernel.stride());
    long total = 0;
    for (int b = 0; b < patterns.size(); b++) {
      total += pairs(patterns.get(b), outputs.patterns.get(b), kernel);
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
