package autosparse.kernels;

/**
 * Launches the kernels of {@code sparse_convolution.cu}. Arguments are device addresses.
 *
 * <p>Which geometry runs depends on shapes and alignments alone, and so do the slices that
 * gradients are summed over: same bits for same inputs.
 */
public final class SparseConvolutionKernels {
  private static final String FAMILY = "sparse_convolution";

  /** Widest access of features and weights, in bytes. */
  private static final int ALIGNMENT = 16;

  private static final int MOST_SLICES = 256;
  private static final int SLICE_SITES = 2048;
  private static final long MOST_PARTIAL_BYTES = 1L << 27;

  private static final int GRADIENT_THREADS = 256;
  private static final int ONES_CHANNELS = 32;
  private static final int ONES_SITES = 2048;
  private static final int ONES_BACKWARD_CHANNELS = 128;
  private static final int MOST_ONES_SLICES = 512;
  private static final int ONES_SLICE_SITES = 512;

  /**
   * The map of a convolution.
   *
   * @param pointers I64 [outputs + 1]
   * @param masks I32 [outputs]
   * @param inputs I32 [pairs]
   * @param order I32 [outputs], the order in which outputs are processed; 0 for their own
   * @param offsets K
   */
  public record Map(
      long pointers, long masks, long inputs, long order, long outputs, int offsets) {}

  /** The template parameters of an entry; see GemmTiling in {@code implicit_gemm.cuh}. */
  private record Tiling(Kernel kernel, int rows, int columns, int depth, int stages, int threads) {
    int sharedBytes(int offsets) {
      return Float.BYTES * stages * (rows * depth + depth * columns)
          + Integer.BYTES * (offsets + 1) * rows;
    }
  }

  /** As {@link Tiling}; see GradientTiling in {@code weight_gradient.cuh}. */
  private record GradientTiling(Kernel kernel, int fanIn, int fanOut, int pairs, int stages) {
    int sharedBytes() {
      return Float.BYTES * stages * pairs * (fanIn + fanOut);
    }
  }

  private final Tiling columns128;
  private final Tiling columns64;
  private final Tiling columns32;
  private final Tiling columns32Depth8;
  private final Tiling columns8;
  private final Tiling columns8Depth8;
  private final Tiling columnsAny;
  private final GradientTiling gradient128x128;
  private final GradientTiling gradient128x32;
  private final GradientTiling gradient32x128;
  private final GradientTiling gradient32x32;
  private final GradientTiling gradientAny;
  private final Kernel sumPartials;
  private final Kernel turnWeights;
  private final Kernel onesForward;
  private final Kernel onesBackward9;
  private final Kernel onesBackward25;

  public SparseConvolutionKernels(CudaContext context) {
    columns128 = tiling(context, "convolution_128_f32", 64, 128, 16, 3, 128);
    columns64 = tiling(context, "convolution_64_f32", 128, 64, 16, 3, 128);
    columns32 = tiling(context, "convolution_32_f32", 128, 32, 32, 2, 128);
    columns32Depth8 = tiling(context, "convolution_32_depth_8_f32", 128, 32, 8, 3, 128);
    columns8 = tiling(context, "convolution_8_f32", 256, 8, 16, 2, 128);
    columns8Depth8 = tiling(context, "convolution_8_depth_8_f32", 256, 8, 8, 3, 128);
    columnsAny = tiling(context, "convolution_any_f32", 128, 32, 8, 2, 256);
    gradient128x128 = gradient(context, "weight_gradient_128_128_f32", 128, 128, 16, 3);
    gradient128x32 = gradient(context, "weight_gradient_128_32_f32", 128, 32, 32, 2);
    gradient32x128 = gradient(context, "weight_gradient_32_128_f32", 32, 128, 32, 2);
    gradient32x32 = gradient(context, "weight_gradient_32_32_f32", 32, 32, 64, 3);
    gradientAny = gradient(context, "weight_gradient_any_f32", 32, 32, 64, 2);
    sumPartials = context.kernel(FAMILY, "sum_partials");
    turnWeights = context.kernel(FAMILY, "turn_weights_f32");
    onesForward = context.kernel(FAMILY, "ones_forward_f32");
    onesBackward9 = context.kernel(FAMILY, "ones_backward_9_f32");
    onesBackward25 = context.kernel(FAMILY, "ones_backward_25_f32");
  }

  private static Tiling tiling(
      CudaContext context, String name, int rows, int columns, int depth, int stages, int threads) {
    return new Tiling(context.kernel(FAMILY, name), rows, columns, depth, stages, threads);
  }

  private static GradientTiling gradient(
      CudaContext context, String name, int fanIn, int fanOut, int pairs, int stages) {
    return new GradientTiling(context.kernel(FAMILY, name), fanIn, fanOut, pairs, stages);
  }

  private static boolean aligned(int fanIn, int fanOut, long addresses) {
    int pack = ALIGNMENT / Float.BYTES;
    return fanIn % pack == 0 && fanOut % pack == 0 && addresses % ALIGNMENT == 0;
  }

  private Tiling tiling(int fanIn, int fanOut, boolean aligned) {
    if (!aligned) {
      return columnsAny;
    }
    if (fanOut <= 8) {
      return fanIn <= 8 ? columns8Depth8 : columns8;
    }
    if (fanOut <= 32) {
      return fanIn <= 8 ? columns32Depth8 : columns32;
    }
    return fanOut <= 64 ? columns64 : columns128;
  }

  private GradientTiling gradient(int fanIn, int fanOut, boolean aligned) {
    if (!aligned) {
      return gradientAny;
    }
    if (fanIn > 64) {
      return fanOut > 64 ? gradient128x128 : gradient128x32;
    }
    return fanOut > 64 ? gradient32x128 : gradient32x32;
  }

  /**
   * y[o] = Σ_k x[neighbour(o, k)]·weight[k], rectified when {@code relu}.
   *
   * @param x [inputs, fanIn]
   * @param weight [K, fanIn, fanOut]
   * @param y [outputs, fanOut]
   */
  public void convolve(long x, long weight, Map map, int fanIn, int fanOut, boolean relu, long y) {
    Tiling tiling = tiling(fanIn, fanOut, aligned(fanIn, fanOut, x | weight | y));
    Kernel kernel = tiling.kernel.begin().pointer(x).pointer(weight);
    kernel.pointer(map.pointers).pointer(map.masks).pointer(map.inputs).pointer(map.order);
    kernel.int64(map.outputs).int32(map.offsets).int32(fanIn).int32(fanOut);
    kernel.int32(relu ? 1 : 0).pointer(y);
    kernel.launch(
        Grids.blocks(map.outputs, tiling.rows),
        Grids.blocks(fanOut, tiling.columns),
        1,
        tiling.threads,
        1,
        1,
        tiling.sharedBytes(map.offsets));
  }

  /**
   * turned[k, o, i] = weight[k', i, o], for the gradient by the input as a convolution.
   *
   * @param mirrored whether k' is the mirrored offset, else k itself
   */
  public void turnWeights(
      long weight, int offsets, int fanIn, int fanOut, boolean mirrored, long turned) {
    turnWeights.begin().pointer(weight).int32(offsets).int32(fanIn).int32(fanOut);
    turnWeights.int32(mirrored ? 1 : 0).pointer(turned);
    turnWeights.launch(Grids.blocks((long) offsets * fanIn * fanOut, 256), 256);
  }

  /** Slices that {@link #weightGradient} sums over. */
  public static int slices(long outputs, int offsets, int fanIn, int fanOut) {
    long bytes = (long) Float.BYTES * offsets * fanIn * fanOut;
    long most = Math.min(MOST_SLICES, Math.max(1, MOST_PARTIAL_BYTES / Math.max(1, bytes)));
    return (int) Math.min(most, Grids.blocks(outputs, SLICE_SITES));
  }

  /**
   * partials[slice, k] = Σ over the slice's pairs of offset k of x[input]ᵀ·dz[output].
   *
   * @param partials [slices, K, fanIn, fanOut]
   */
  public void weightGradient(
      long x, long dz, Map map, int fanIn, int fanOut, int slices, long partials) {
    GradientTiling tiling = gradient(fanIn, fanOut, aligned(fanIn, fanOut, x | dz));
    Kernel kernel = tiling.kernel.begin().pointer(x).pointer(dz);
    kernel.pointer(map.pointers).pointer(map.masks).pointer(map.inputs);
    kernel.int64(map.outputs).int32(fanIn).int32(fanOut).pointer(partials);
    long tiles = Grids.blocks(fanIn, tiling.fanIn) * Grids.blocks(fanOut, tiling.fanOut);
    kernel.launch(map.offsets, slices, tiles, GRADIENT_THREADS, 1, 1, tiling.sharedBytes());
  }

  /** total[e] += Σ over the slices of partials[slice, e], in a fixed order. */
  public void sumPartials(long partials, int slices, long elements, long total) {
    sumPartials.begin().pointer(partials).int32(slices).int64(elements).pointer(total);
    sumPartials.launch(Grids.blocks(elements, 32), 256);
  }

  /**
   * y[site] = Σ of the weights under the site's mask, rectified when {@code relu}.
   *
   * @param masks I32 [sites], of at most 25 bits
   * @param weight [offsets, fanOut]
   */
  public void onesForward(
      long masks, long weight, long sites, int offsets, int fanOut, boolean relu, long y) {
    onesForward.begin().pointer(masks).pointer(weight).int64(sites).int32(offsets);
    onesForward.int32(fanOut).int32(relu ? 1 : 0).pointer(y);
    long tiles = Grids.blocks(fanOut, ONES_CHANNELS);
    onesForward.launch(Grids.blocks(sites, ONES_SITES), tiles, 1, 256, 1, 1, 0);
  }

  /** Slices that {@link #onesBackward} sums over. */
  public static int onesSlices(long sites) {
    return (int) Math.min(MOST_ONES_SLICES, Grids.blocks(sites, ONES_SLICE_SITES));
  }

  /**
   * partials[slice, k] = Σ of dz over the slice's sites whose mask has bit k.
   *
   * @param partials [slices, offsets, fanOut]
   */
  public void onesBackward(
      long masks, long dz, long sites, int offsets, int fanOut, int slices, long partials) {
    Kernel kernel = offsets <= 9 ? onesBackward9 : onesBackward25;
    kernel.begin().pointer(masks).pointer(dz).int64(sites).int32(offsets).int32(fanOut);
    kernel.pointer(partials);
    long tiles = Grids.blocks(fanOut, ONES_BACKWARD_CHANNELS);
    kernel.launch(slices, tiles, 1, 128, 1, 1, 0);
  }
}
