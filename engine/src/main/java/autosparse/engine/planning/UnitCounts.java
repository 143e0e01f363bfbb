package autosparse.engine.planning;

import autosparse.engine.sparse.ConvolutionKernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Sites and pairs of one level of a matrix by units: runs of as many rows as the coarsest level's
 * one row stands for. The numbers of a range of whole units are sums of theirs, so that rows are
 * read and counted once, however many ways to cut the matrix are planned. Kept are numbers only.
 */
final class UnitCounts {
  /** Numbers by unit, most of which may never be asked for; -1 where one is not known. */
  private static final class Column {
    private static final int PAGE = 1 << 10;

    private final Map<Long, long[]> pages = new HashMap<>();

    long get(long unit) {
      long[] page = pages.get(unit / PAGE);
      return page == null ? -1 : page[(int) (unit % PAGE)];
    }

    void set(long unit, long value) {
      long[] page =
          pages.computeIfAbsent(
              unit / PAGE,
              at -> {
                long[] unknown = new long[PAGE];
                Arrays.fill(unknown, -1);
                return unknown;
              });
      page[(int) (unit % PAGE)] = value;
    }

    /** Sum over the units [from, to), or -1 where one of them is not known. */
    long sum(long from, long to) {
      long sum = 0;
      for (long unit = from; unit < to; unit++) {
        long value = get(unit);
        if (value < 0) {
          return -1;
        }
        sum += value;
      }
      return sum;
    }
  }

  /** Some units of a matrix, whose rows are there to be counted. */
  record Range(long from, long to) {}

  private final int unitRows;
  private final Column sites = new Column();
  private final Map<ConvolutionKernel, List<Column>> pairs = new HashMap<>();
  private final Map<Integer, UnitCounts> coarser = new HashMap<>();

  /**
   * @param unitRows rows of a unit on this level
   */
  UnitCounts(int unitRows) {
    this.unitRows = unitRows;
  }

  /** Rows of a unit. */
  int unitRows() {
    return unitRows;
  }

  /** The level of floor(coordinate / stride), of which a unit must be whole rows. */
  UnitCounts coarser(int stride) {
    return coarser.computeIfAbsent(stride, s -> new UnitCounts(unitRows / s));
  }

  /**
   * Sites of the first units of a range.
   *
   * @param units their number
   * @param rows of the range, read where they are not counted yet
   */
  long sites(Range range, long units, LevelRows rows) {
    long end = range.from + units;
    long sum = sites.sum(range.from, end);
    if (sum >= 0) {
      return sum;
    }
    long[] first = rows.firstSitesByUnit(unitRows);
    for (int unit = 0; unit < first.length - 1; unit++) {
      sites.set(range.from + unit, first[unit + 1] - first[unit]);
    }
    return sites.sum(range.from, end);
  }

  /**
   * Pairs of an output of a kernel and an active input, both in a range of this level or, the
   * outputs of a strided one, of the next coarser level.
   *
   * @param inputs rows of the range, read where they are not counted yet
   * @param outputs those of its outputs
   */
  long pairs(Range range, ConvolutionKernel kernel, LevelRows inputs, LevelRows outputs) {
    int reach = kernel.size() / 2 * kernel.dilation();
    int units = (reach + unitRows - 1) / unitRows; // that a pair is apart at the most
    List<Column> columns = pairs.computeIfAbsent(kernel, key -> columns(2 * units + 1));
    long sum = pairs(range, columns, units);
    if (sum >= 0) {
      return sum;
    }
    int count = Math.toIntExact(range.to - range.from);
    boolean[] known = new boolean[count];
    for (int unit = 0; unit < count; unit++) {
      known[unit] = isKnown(range, columns, unit);
    }
    long[][] found = inputs.pairsByUnit(outputs, kernel, unitRows, known, units);
    for (int unit = 0; unit < count; unit++) {
      for (int apart = first(units, unit);
          !known[unit] && apart <= last(units, unit, count);
          apart++) {
        columns.get(units + apart).set(range.from + unit, found[unit][units + apart]);
      }
    }
    return pairs(range, columns, units);
  }

  /** Of a range's unit: inputs as many units before it, or fewer, are in the range too. */
  private static int first(int units, int unit) {
    return -Math.min(units, unit);
  }

  /** As {@link #first}, behind it. */
  private static int last(int units, int unit, int count) {
    return Math.min(units, count - 1 - unit);
  }

  /** Whether all pairs of a unit's outputs are known whose inputs are in the range. */
  private static boolean isKnown(Range range, List<Column> columns, int unit) {
    int units = columns.size() / 2;
    int count = (int) (range.to - range.from);
    for (int apart = first(units, unit); apart <= last(units, unit, count); apart++) {
      if (columns.get(units + apart).get(range.from + unit) < 0) {
        return false;
      }
    }
    return true;
  }

  private static List<Column> columns(int count) {
    return new ArrayList<>(IntStream.range(0, count).mapToObj(c -> new Column()).toList());
  }

  /** Column c has, by the outputs' unit, the pairs whose input is c - units units further on. */
  private static long pairs(Range range, List<Column> columns, int units) {
    long sum = 0;
    for (int apart = -units; apart <= units; apart++) {
      long part =
          columns
              .get(units + apart)
              .sum(range.from + Math.max(0, -apart), range.to - Math.max(0, apart));
      if (part < 0) {
        return -1;
      }
      sum += part;
    }
    return sum;
  }
}
