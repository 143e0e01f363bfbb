package autosparse.engine.cpu;

/** How the element-wise and row-wise operators are cut: by the shapes alone. */
final class Tiles {
  /** Elements of one tile: three such arrays of floats fit a core's second-level cache. */
  static final int ELEMENTS = 1 << 14;

  private Tiles() {}

  /** Work on elements (or rows) {@code from} to {@code from + count}. */
  @FunctionalInterface
  interface Range {
    void run(Scratch scratch, long from, int count);
  }

  /** Number of tiles of a given size that cover a number of things. */
  static long count(long things, long size) {
    return (things + size - 1) / size;
  }

  static void elements(WorkerPool pool, long elements, Range work) {
    ranges(pool, elements, ELEMENTS, work);
  }

  /** Tiles of whole rows, about {@link #ELEMENTS} elements each. */
  static void rows(WorkerPool pool, long rows, long columns, Range work) {
    ranges(pool, rows, rowsPerTile(columns), work);
  }

  static int rowsPerTile(long columns) {
    return (int) Math.max(1, ELEMENTS / Math.max(1, columns));
  }

  static void ranges(WorkerPool pool, long things, int size, Range work) {
    pool.run(
        count(things, size),
        (worker, tile) -> {
          long from = tile * size;
          work.run(pool.scratch(worker), from, (int) Math.min(size, things - from));
        });
  }
}
