package autosparse.kernels;

/** Sizes of grids. */
final class Grids {
  /** Threads that one multiprocessor holds at a time, at most (1,024 on compute capability 7.5). */
  private static final int RESIDENT_THREADS = 2048;

  private Grids() {}

  /** Blocks that cover {@code things} with {@code size} for each; none for no thing. */
  static long blocks(long things, long size) {
    return (things + size - 1) / size;
  }

  /**
   * Blocks that fill the device twice over: what a kernel needs whose threads stride over the grid.
   * Never use it where the result's bits depend on the grid.
   */
  static int resident(Gpu gpu, int threads) {
    return gpu.multiprocessors() * Math.max(1, 2 * RESIDENT_THREADS / threads);
  }
}
