package autosparse.kernels;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * How a product's C [m, n] is cut into tiles and its K into slices: by the shape alone, since the
 * order of a sum depends on it.
 *
 * @param largeColumns columns of a large tile
 */
record GemmTiles(int largeColumns) {
  /** Tiles from which on the device is busy without cutting K. */
  private static final long WANTED_TILES = 128;

  /** Shortest slice of K; slices are multiples of {@link #DEPTH}. */
  private static final long LEAST_SLICE = 256;

  private static final long MOST_SLICES = 256;

  /** Slices start at multiples of the deepest tile. */
  private static final long DEPTH = 32;

  private static final int MEDIUM_SIDE = 64;
  private static final int NARROW_COLUMNS = 32;
  private static final int ROWS = 128;

  /** A tile of C: 128 rows, or 64 rows and columns, or 128 rows of 32 columns. */
  enum Size {
    LARGE,
    MEDIUM,
    NARROW;

    /** Something for each size, such as its kernel. */
    static <V> Map<Size, V> each(Function<Size, V> make) {
      Map<Size, V> all = new EnumMap<>(Size.class);
      for (Size size : values()) {
        all.put(size, make.apply(size));
      }
      return all;
    }

    /** As kernels' entries have it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  Size of(long m, long n) {
    if (n <= NARROW_COLUMNS) {
      return Size.NARROW;
    }
    long large = Grids.blocks(m, ROWS) * Grids.blocks(n, largeColumns);
    boolean filled = largeColumns <= MEDIUM_SIDE || n > MEDIUM_SIDE;
    return filled && large >= WANTED_TILES ? Size.LARGE : Size.MEDIUM;
  }

  /** Tiles along the rows of C. */
  long down(long m, long n) {
    return Grids.blocks(m, of(m, n) == Size.MEDIUM ? MEDIUM_SIDE : ROWS);
  }

  /** Tiles along the columns of C. */
  long across(long m, long n) {
    return Grids.blocks(
        n,
        switch (of(m, n)) {
          case LARGE -> largeColumns;
          case MEDIUM -> MEDIUM_SIDE;
          case NARROW -> NARROW_COLUMNS;
        });
  }

  long slices(long m, long n, long k) {
    long tiles = down(m, n) * across(m, n);
    if (tiles == 0 || tiles >= WANTED_TILES || k < 2 * LEAST_SLICE) {
      return 1;
    }
    long wanted = Math.min(MOST_SLICES, 2 * WANTED_TILES / tiles);
    return Grids.blocks(k, sliceDepth(k, Math.min(wanted, k / LEAST_SLICE)));
  }

  /** Elements of K in each of so many slices, but for the last. */
  static long sliceDepth(long k, long slices) {
    return Math.max(1, Grids.blocks(Grids.blocks(k, slices), DEPTH)) * DEPTH;
  }
}
