package autosparse.kernels;

import java.util.Map;

/** Launches the kernels of {@code reduction.cu}. Arguments are device addresses. */
public final class ReductionKernels {
  private static final String FAMILY = "reduction";
  private static final int THREADS = 256;
  private static final int MOST_WIDTH = 32;

  /** Of the kernel that adds slices: 32 bytes of a slice, so that few threads share many slices. */
  private static final int SLICE_WIDTH = 8;

  /** Rows of a slice: few enough that a thread's loads are all under way at once. */
  private static final long LEAST_ROWS = 64;

  private static final long MOST_SLICES = 1024;

  /** Elements of a block of segment_broadcast. */
  private static final int TILE = 1024;

  private final Map<Storage, Kernel> columnSum;
  private final Map<Storage, Kernel> columnSumPacks;
  private final Kernel columnSumSlices;
  private final Kernel segmentSum;
  private final Kernel segmentBroadcast;

  public ReductionKernels(CudaContext context) {
    columnSum = Storage.each(type -> context.kernel(FAMILY, type.entry("column_sum")));
    columnSumPacks = Storage.each(type -> context.kernel(FAMILY, type.entry("column_sum_packs")));
    columnSumSlices = context.kernel(FAMILY, "column_sum_slices_f32");
    segmentSum = context.kernel(FAMILY, "segment_sum_f32");
    segmentBroadcast = context.kernel(FAMILY, "segment_broadcast_f32");
  }

  /**
   * Slices that rows are summed in: by their number alone, since the result's bits depend on it.
   */
  public static long slices(long rows) {
    return Math.max(1, Math.min(MOST_SLICES, Grids.blocks(rows, LEAST_ROWS)));
  }

  /** Threads along the columns: the power of two that covers them, {@code most} at most. */
  private static int width(long columns, int most) {
    int width = 1;
    while (width < most && width < columns) {
      width *= 2;
    }
    return width;
  }

  /**
   * y[c] = Σ_n x[n, c], or += when accumulating. Behind a ReLU, x is the gradient of its output:
   * elements whose output is zero are set to zero first, in place.
   *
   * @param type of x and output; y is F32
   * @param output of the ReLU, [rows, columns]; 0 for none
   * @param x [rows, columns]
   * @param partial F32 [slices(rows), columns], overwritten
   * @param y [columns]
   */
  public void columnSum(
      Storage type,
      long output,
      long x,
      long rows,
      long columns,
      boolean accumulate,
      long partial,
      long y) {
    boolean packs = type.fillsPacks(columns, output | x);
    long units = packs ? columns / type.pack() : columns;
    int width = width(units, MOST_WIDTH);
    Kernel slice = (packs ? columnSumPacks : columnSum).get(type);
    slice.begin().pointer(output).pointer(x).int64(rows).int64(columns).pointer(partial);
    slice.launch(slices(rows), Grids.blocks(units, width), 1, width, THREADS / width, 1, 0);
    columnSumSlices.begin().pointer(partial).int64(slices(rows)).int64(columns).pointer(y);
    columnSumSlices.int32(accumulate ? 1 : 0);
    int across = width(columns, SLICE_WIDTH);
    long blocks = Grids.blocks(columns, across);
    columnSumSlices.launch(blocks, 1, 1, across, THREADS / across, 1, 0);
  }

  /**
   * y[s, :] = Σ of the rows of x from offsets[s] to offsets[s+1].
   *
   * @param offsets I64 [segments + 1]
   */
  public void segmentSum(long x, long offsets, long segments, long columns, long y) {
    int width = width(columns, MOST_WIDTH);
    segmentSum.begin().pointer(x).pointer(offsets).int64(columns).pointer(y);
    segmentSum.launch(segments, 1, 1, width, THREADS / width, 1, 0);
  }

  /** x[t, :] = y[segment of t, :] for t below rows, the last offset. */
  public void segmentBroadcast(
      long y, long offsets, long segments, long rows, long columns, long x) {
    segmentBroadcast.begin().pointer(y).pointer(offsets).int64(segments);
    segmentBroadcast.int64(rows).int64(columns).pointer(x);
    segmentBroadcast.launch(Grids.blocks(rows * columns, TILE), THREADS);
  }
}
