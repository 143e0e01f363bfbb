package autosparse.tuner.format;

import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import java.util.Arrays;
import java.util.List;

/**
 * The nonzeros of a matrix sorted by their coordinates in the levels of a format, outermost first.
 */
final class SortedNonzeros {
  private final int[] order;
  private final int[][] coordinates;
  private final byte[] firstDifference;

  /**
   * @param order [nnz]: index in CSR order of the n-th nonzero; null where it is n itself
   * @param coordinates [levels][nnz], sorted
   */
  private SortedNonzeros(int[] order, int[][] coordinates, int nnz) {
    this.order = order;
    this.coordinates = coordinates;
    this.firstDifference = new byte[nnz];
    for (int n = 1; n < nnz; n++) {
      byte level = 0;
      while (level < coordinates.length - 1 && coordinates[level][n] == coordinates[level][n - 1]) {
        level++;
      }
      firstDifference[n] = level;
    }
  }

  /**
   * Sorts the nonzeros of a matrix.
   *
   * @throws IllegalArgumentException if the padded matrix has 2^63 places or more
   */
  static SortedNonzeros of(SparsityPattern matrix, Op op, List<LevelFormat> formats) {
    int nnz = Math.toIntExact(matrix.nnz());
    int[] rows = new int[nnz];
    for (int row = 0; row < matrix.rows(); row++) {
      Arrays.fill(rows, (int) matrix.rowStart(row), (int) matrix.rowEnd(row), row);
    }
    int[] columns = matrix.columns();
    int[][] coordinates = new int[formats.size()][];
    for (int l = 0; l < formats.size(); l++) {
      LevelFormat format = formats.get(l);
      int[] axis = format.axis().equals(op.rowAxis()) ? rows : columns;
      coordinates[l] = levelCoordinates(format, axisExtent(formats, format.axis()), axis);
    }
    long[] keys = new long[nnz];
    long places = 1;
    for (int l = 0; l < formats.size(); l++) {
      long extent = formats.get(l).extent();
      if (places > Long.MAX_VALUE / extent) {
        throw new IllegalArgumentException("levels " + formats + " span 2^63 places or more");
      }
      places *= extent;
      int[] level = coordinates[l];
      for (int n = 0; n < nnz; n++) {
        keys[n] = keys[n] * extent + level[n];
      }
    }
    int[] order = RadixSort.order(keys, places - 1);
    if (order != null) {
      for (int l = 0; l < coordinates.length; l++) {
        coordinates[l] = gather(coordinates[l], order);
      }
    }
    return new SortedNonzeros(order, coordinates, nnz);
  }

  /** Places on a logical axis that its levels cover together, padding included. */
  private static long axisExtent(List<LevelFormat> formats, String axis) {
    return formats.stream()
        .filter(format -> format.axis().equals(axis))
        .mapToLong(LevelFormat::extent)
        .reduce(1, Math::multiplyExact);
  }

  private static int[] levelCoordinates(LevelFormat format, long axisExtent, int[] axis) {
    if (format.extent() == axisExtent) {
      return axis;
    }
    int[] level = new int[axis.length];
    int stride = Math.toIntExact(format.stride());
    boolean outermost = format.extent() * stride == axisExtent;
    // The sizes of splits are nearly always powers of two, and a shift is ten times a division.
    if (Integer.bitCount(stride) == 1 && (outermost || Long.bitCount(format.extent()) == 1)) {
      int shift = Integer.numberOfTrailingZeros(stride);
      int mask = outermost ? -1 : (int) (format.extent() - 1);
      for (int n = 0; n < level.length; n++) {
        level[n] = (axis[n] >>> shift) & mask;
      }
    } else {
      int modulus = outermost ? Integer.MAX_VALUE : (int) format.extent();
      for (int n = 0; n < level.length; n++) {
        level[n] = axis[n] / stride % modulus;
      }
    }
    return level;
  }

  private static int[] gather(int[] from, int[] order) {
    int[] to = new int[from.length];
    for (int n = 0; n < to.length; n++) {
      to[n] = from[order[n]];
    }
    return to;
  }

  /** Index in CSR order of the n-th nonzero. */
  int csrIndex(int n) {
    return order == null ? n : order[n];
  }

  /** Coordinate of the n-th nonzero in a level. */
  int coordinate(int level, int n) {
    return coordinates[level][n];
  }

  /**
   * Whether the n-th nonzero has another coordinate than the one before it, here or further out.
   */
  boolean differsFromPrevious(int level, int n) {
    return n == 0 || firstDifference[n] <= level;
  }

  /** [levels]: distinct coordinates of the levels down to each. */
  long[] distinctPrefixes() {
    long[] distinct = new long[coordinates.length];
    for (int n = 0; n < firstDifference.length; n++) {
      distinct[n == 0 ? 0 : firstDifference[n]]++;
    }
    for (int l = 1; l < distinct.length; l++) {
      distinct[l] += distinct[l - 1];
    }
    return distinct;
  }
}
