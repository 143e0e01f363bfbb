package autosparse.engine.planning;

import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.Sites;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What the counts of a range of rows depend on, by its sizes and 128 bits of a hash of its columns:
 * ranges that differ are told apart but for a chance of 2^-128 a pair.
 *
 * @param rows number of rows
 * @param sites number of sites
 * @param unit coarsest stride that the counts are for
 * @param first half of the hash
 * @param second half of the hash
 */
record RowContent(long rows, long sites, long unit, long first, long second) {
  private static final long FIRST_SEED = 0x243F6A8885A308D3L;
  private static final long SECOND_SEED = 0x13198A2E03707344L;

  private record Sum(long first, long second) {
    Sum plus(Sum other) {
      return new Sum(first + other.first, second + other.second);
    }
  }

  /**
   * Columns count from the last multiple of the range's unit before them all.
   *
   * @param reader of the range's parts, which are read once more where they are many
   */
  static RowContent of(RowRange range, Function<RowRange, Sites.Pattern> reader) {
    List<RowRange> parts = range.parts();
    int base = 0;
    if (range.unit() < range.columns()) {
      long least = parts.stream().map(reader).mapToInt(RowContent::leastColumn).min().orElse(0);
      base = (int) (least / range.unit() * range.unit());
    }
    Sum sum = new Sum(0, 0);
    for (RowRange part : parts) {
      sum = sum.plus(ofRows(reader.apply(part), (int) (part.first() - range.first()), base));
    }
    return new RowContent(range.rows(), range.sites(), range.unit(), sum.first, sum.second);
  }

  private static Sum ofRows(Sites.Pattern pattern, int firstRow, int base) {
    return IntStream.range(0, Math.toIntExact(pattern.rows()))
        .parallel()
        .mapToObj(row -> ofRow(pattern, row, firstRow + row, base))
        .reduce(new Sum(0, 0), Sum::plus);
  }

  /** The largest number for a pattern without sites. */
  private static int leastColumn(Sites.Pattern pattern) {
    long[] pointers = pattern.rowPointers();
    return IntStream.range(0, Math.toIntExact(pattern.rows()))
        .parallel()
        .filter(row -> pointers[row] < pointers[row + 1])
        .map(row -> pattern.columnIndices()[(int) pointers[row]])
        .min()
        .orElse(Integer.MAX_VALUE);
  }

  private static Sum ofRow(Sites.Pattern pattern, int row, int number, int base) {
    long first = FIRST_SEED + number;
    long second = SECOND_SEED + number;
    int end = (int) pattern.rowPointers()[row + 1];
    for (int site = (int) pattern.rowPointers()[row]; site < end; site++) {
      int column = pattern.columnIndices()[site] - base;
      first = mixed(first + column);
      second = mixed(second ^ (column + SECOND_SEED));
    }
    return new Sum(mixed(first), mixed(second));
  }

  /** The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
  private static long mixed(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
