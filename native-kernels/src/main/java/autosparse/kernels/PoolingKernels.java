package autosparse.kernels;

/** Launches the kernels of {@code pooling.cu}. Arguments are device addresses. */
public final class PoolingKernels {
  private static final String FAMILY = "pooling";
  private static final int THREADS = 256;

  /** Channels of one block that streams features. */
  private static final int CHANNELS = 128;

  private static final int AVERAGE_CHANNELS = 32;
  private static final int SLICE_SITES = 256;
  private static final int MOST_SLICES = 512;

  /** Slices of all matrices together, at most. */
  private static final int MOST_PARTIALS = 1 << 14;

  private static final int BACKWARD_SITES = 256;

  private final Kernel sumSlices;
  private final Kernel averageSlices;
  private final Kernel reluAverageBackward;

  public PoolingKernels(CudaContext context) {
    sumSlices = context.kernel(FAMILY, "sum_slices_f32");
    averageSlices = context.kernel(FAMILY, "average_slices_f32");
    reluAverageBackward = context.kernel(FAMILY, "relu_average_backward_f32");
  }

  /** Slices that each matrix is cut into by {@link #average}. */
  public static int slices(long sites, long matrices) {
    long most = Math.min(MOST_SLICES, Math.max(1, MOST_PARTIALS / Math.max(1, matrices)));
    return (int) Math.max(1, Math.min(most, Grids.blocks(sites, SLICE_SITES)));
  }

  /**
   * y[b] = mean of the rows offsets[b] to offsets[b+1] of x, 0 without rows.
   *
   * @param offsets I64 [matrices + 1]
   * @param partials [matrices, slices, channels]
   * @param y [matrices, channels]
   */
  public void average(
      long x, long offsets, long matrices, int slices, int channels, long partials, long y) {
    sumSlices.begin().pointer(x).pointer(offsets).int32(slices).int32(channels).pointer(partials);
    sumSlices.launch(matrices * slices, Grids.blocks(channels, CHANNELS), 1, THREADS, 1, 1, 0);
    averageSlices.begin().pointer(partials).pointer(offsets).int32(slices).int32(channels);
    averageSlices.pointer(y);
    long tiles = Grids.blocks(channels, AVERAGE_CHANNELS);
    averageSlices.launch(matrices, tiles, 1, THREADS, 1, 1, 0);
  }

  /**
   * dz = y &gt; 0 ? dNext + dPooled[b] / rows of b : 0.
   *
   * @param y [sites, channels]
   * @param dNext as y, may be dz; 0 for none
   * @param dPooled [matrices, channels]
   */
  public void reluAverageBackward(
      long y,
      long dNext,
      long dPooled,
      long offsets,
      long sites,
      int matrices,
      int channels,
      long dz) {
    reluAverageBackward.begin().pointer(y).pointer(dNext).pointer(dPooled).pointer(offsets);
    reluAverageBackward.int64(sites).int32(matrices).int32(channels).int32(BACKWARD_SITES);
    reluAverageBackward.pointer(dz);
    long tiles = Grids.blocks(channels, CHANNELS);
    reluAverageBackward.launch(Grids.blocks(sites, BACKWARD_SITES), tiles, 1, THREADS, 1, 1, 0);
  }
}
