package autosparse.kernels;

import java.util.Map;

/** Launches the kernels of {@code pooling.cu}. Arguments are device addresses. */
public final class PoolingKernels {
  private static final String FAMILY = "pooling";
  private static final int THREADS = 256;

  /** Threads of a block that lie side by side along the channels, at most. */
  private static final int LANES = 32;

  private static final int POOL_THREADS = 1024;
  private static final int POOL_CHANNELS = 32;
  private static final int SLICE_SITES = 256;
  private static final int MOST_SLICES = 1056;

  /** Slices of all matrices together, at most. */
  private static final int MOST_PARTIALS = 1 << 14;

  private static final int BACKWARD_SITES = 128;

  /** The entries of one storage type. */
  private record Entries(Kernel sumSlices, Kernel reluPoolBackward) {}

  private final Map<Storage, Entries> entries;
  private final Kernel averageSlices;
  private final Kernel addSlices;
  private final Kernel averageOfSum;

  public PoolingKernels(CudaContext context) {
    entries =
        Storage.each(
            type ->
                new Entries(
                    context.kernel(FAMILY, type.entry("sum_slices")),
                    context.kernel(FAMILY, type.entry("relu_pool_backward"))));
    averageSlices = context.kernel(FAMILY, "average_slices_f32");
    addSlices = context.kernel(FAMILY, "add_slices_f64");
    averageOfSum = context.kernel(FAMILY, "average_of_sum_f32");
  }

  /** Slices that each matrix is cut into by {@link #pool}. */
  public static int slices(long sites, long matrices) {
    long most = Math.min(MOST_SLICES, Math.max(1, MOST_PARTIALS / Math.max(1, matrices)));
    return (int) Math.max(1, Math.min(most, Grids.blocks(sites, SLICE_SITES)));
  }

  /**
   * y[b] = mean of the rows offsets[b] to offsets[b+1] of x, 0 without rows; or y[b] += their sum.
   *
   * @param type of x
   * @param offsets I64 [matrices + 1]
   * @param averaged whether the mean is formed
   * @param partials F64 [matrices, slices, channels], all of it written
   * @param y [matrices, channels], F32 of a mean, F64 of a sum
   */
  public void pool(
      Storage type,
      long x,
      long offsets,
      long matrices,
      int slices,
      int channels,
      boolean averaged,
      long partials,
      long y) {
    Kernel sum = entries.get(type).sumSlices();
    sum.begin().pointer(x).pointer(offsets).int32(slices).int32(channels).pointer(partials);
    sum.launch(matrices * slices, blocksAcross(type, channels), 1, THREADS, 1, 1, 0);
    Kernel join = averaged ? averageSlices : addSlices;
    join.begin().pointer(partials).pointer(offsets).int32(slices).int32(channels).pointer(y);
    long tiles = Grids.blocks(channels, POOL_CHANNELS);
    join.launch(matrices, tiles, 1, POOL_THREADS, 1, 1, 0);
  }

  /**
   * y[b] = sum[b] / sites[b], undivided without sites.
   *
   * @param sum F64 [matrices, channels]
   * @param sites I64 [matrices]
   * @param y F32 [matrices, channels]
   */
  public void averageOfSum(long sum, long sites, long matrices, int channels, long y) {
    averageOfSum.begin().pointer(sum).pointer(sites).int64(matrices).int32(channels).pointer(y);
    averageOfSum.launch(Grids.blocks(matrices * channels, THREADS), THREADS);
  }

  private static long blocksAcross(Storage type, int channels) {
    return Grids.blocks(channels, (long) LANES * type.pack());
  }

  /**
   * dz = y &gt; 0 ? dNext + dPooled[b] / rows of b : 0, summed in F32; undivided unless averaged.
   *
   * @param type of y, dNext and dz
   * @param y [sites, channels]
   * @param dNext as y, may be dz; 0 for none
   * @param dPooled F32 [matrices, channels]
   * @param dz as y
   */
  public void reluPoolBackward(
      Storage type,
      long y,
      long dNext,
      long dPooled,
      long offsets,
      long sites,
      int matrices,
      int channels,
      boolean averaged,
      long dz) {
    Kernel kernel = entries.get(type).reluPoolBackward();
    kernel.begin().pointer(y).pointer(dNext).pointer(dPooled).pointer(offsets);
    kernel.int64(sites).int32(matrices).int32(channels).int32(averaged ? 1 : 0);
    kernel.int32(BACKWARD_SITES).pointer(dz);
    long blocks = Grids.blocks(sites, BACKWARD_SITES);
    kernel.launch(blocks, blocksAcross(type, channels), 1, THREADS, 1, 1, 0);
  }
}
