package autosparse.kernels;

import autosparse.kernels.SparseConvolutionKernels.Map;

/**
 * Launches the kernels of {@code sparse_gradient_bf16.cu}: the weight gradient of a sparse
 * convolution of bf16 features, on tensor cores. Arguments are device addresses.
 *
 * <p>A caller sums the slices with {@link SparseConvolutionKernels#sumPartials}:
 *
 * <pre>{@code
 * int slices = gradients.slices(map.outputs(), map.offsets(), fanIn, fanOut);
 * // partials: F32 [slices, K, fanIn, fanOut], not initialised
 * gradients.weightGradient(x, dz, map, fanIn, fanOut, slices, partials);
 * convolutions.sumPartials(partials, slices, K * fanIn * fanOut, dWeight); // F32, added to
 * }</pre>
 *
 * <p>Which geometry runs and the slices depend on shapes, alignments and the device's architecture
 * alone: same bits for same inputs on the same GPU model. Needs compute capability 8.0; the
 * constructor throws on an older device.
 */
public final class SparseGradientKernels {
  private static final String FAMILY = "sparse_gradient_bf16";
  private static final int BFLOAT16_BYTES = 2;

  /** Widest access of features, in bytes, and the channels in it. */
  private static final int ALIGNMENT = 16;

  private static final int PACK = ALIGNMENT / BFLOAT16_BYTES;

  /** Blocks that fill the largest GPU that the slices are meant for, one a multiprocessor. */
  private static final int BLOCKS = 132;

  private static final long MOST_PARTIAL_BYTES = 1L << 27;

  /** What a launch has to know of an entry's geometry; the numbers stand in the .cu too. */
  private record Tiles(
      Kernel kernel, int fanIn, int fanOut, int offsets, int chunk, int threads, int sharedBytes) {
    long groups(int allOffsets) {
      return Grids.blocks(allOffsets, offsets);
    }

    long tiles(int allIn, int allOut) {
      return Grids.blocks(allIn, fanIn) * Grids.blocks(allOut, fanOut);
    }
  }

  private final Tiles tiles32;
  private final Tiles tiles32x128;
  private final Tiles tiles64;
  private final Tiles tiles128x32;
  private final Tiles tiles128;
  private final Tiles tilesAny;

  /**
   * Which of the two kernels an entry is. Measured on an H200, 3x3, a band of 999,979 sites, ms:
   *
   * <pre>
   *              tiles   groups
   *  32 ->  32    .19     .173
   *  32 -> 128    .73     .37
   *  64 ->  64    .66     .45
   * 128 ->  32    .67     .75
   * 128 -> 128    .64    1.30
   * </pre>
   */
  public SparseGradientKernels(CudaContext context) {
    if (context.gpu().major() == 9 && context.gpu().minor() == 0) {
      tiles32 = groups(context, "gradient_32_bf16", 32, 32, 64, 4, 256);
      tiles32x128 = groups(context, "gradient_32x128_bf16", 32, 128, 64, 4, 128);
      tiles64 = groups(context, "gradient_64_bf16", 64, 64, 32, 5, 128);
      tiles128x32 = tiles(context, "gradient_128x32_bf16", 128, 32, 9, 16, 5, 256);
      tiles128 = tiles(context, "gradient_128_bf16", 128, 128, 3, 32, 5, 256);
    } else {
      tiles32 = tiles(context, "gradient_32_bf16", 32, 32, 9, 64, 2, 128);
      tiles32x128 = tiles32;
      tiles64 = tiles(context, "gradient_64_bf16", 64, 32, 9, 32, 2, 128);
      tiles128x32 = tiles(context, "gradient_128x32_bf16", 128, 32, 9, 16, 2, 128);
      tiles128 = tiles(context, "gradient_128_bf16", 128, 128, 3, 32, 2, 128);
    }
    tilesAny = tiles(context, "gradient_any_bf16", 32, 32, 9, 64, 2, 128);
  }

  /** Geometry by GradientTiles in {@code gradient_tiles.cuh}. */
  private static Tiles tiles(
      CudaContext context,
      String name,
      int fanIn,
      int fanOut,
      int offsets,
      int sites,
      int stages,
      int chunk) {
    int lists = 2 * chunk * (offsets + 1) + 4 * chunk / 16;
    int sharedBytes = stages * stageBytes(fanIn, fanOut, offsets, sites) + Integer.BYTES * lists;
    Kernel kernel = context.kernel(FAMILY, name);
    return new Tiles(kernel, fanIn, fanOut, offsets, chunk, 256, sharedBytes);
  }

  /** Geometry by GradientGroups in {@code gradient_groups.cuh}, 9 offsets. */
  private static Tiles groups(
      CudaContext context, String name, int fanIn, int fanOut, int sites, int stages, int loaders) {
    int lists = 2 * loaders * (9 + 1) + 2 * loaders / 16 + stages * sites / 16;
    int barriers = 2 * stages * Long.BYTES;
    int sharedBytes =
        stages * stageBytes(fanIn, fanOut, 9, sites) + Integer.BYTES * lists + barriers;
    Kernel kernel = context.kernel(FAMILY, name);
    return new Tiles(kernel, fanIn, fanOut, 9, loaders, 256 + loaders, sharedBytes);
  }

  private static int stageBytes(int fanIn, int fanOut, int offsets, int sites) {
    return BFLOAT16_BYTES * sites * (offsets * fanIn + fanOut);
  }

  private Tiles tiles(int fanIn, int fanOut) {
    if (fanIn % PACK != 0 || fanOut % PACK != 0) {
      return tilesAny;
    }
    if (fanIn <= 32) {
      return fanOut <= 32 ? tiles32 : tiles32x128;
    }
    if (fanIn <= 64 && fanOut <= 64) {
      return tiles64;
    }
    return fanOut <= 32 ? tiles128x32 : tiles128;
  }

  /**
   * Slices that {@link #weightGradient} sums over, 0 without outputs; partials are F32 [slices, K,
   * fanIn, fanOut].
   */
  public int slices(long outputs, int offsets, int fanIn, int fanOut) {
    Tiles tiles = tiles(fanIn, fanOut);
    long bytes = (long) Float.BYTES * offsets * fanIn * fanOut;
    long blocks = tiles.groups(offsets) * tiles.tiles(fanIn, fanOut);
    long most = Math.min(BLOCKS / Math.max(1, blocks), MOST_PARTIAL_BYTES / Math.max(1, bytes));
    return (int) Math.min(Math.max(1, most), Grids.blocks(outputs, tiles.chunk));
  }

  /**
   * partials[slice, k] = Σ over the slice's pairs of offset k of x[input]ᵀ·dz[output].
   *
   * @param x BF16 [inputs, fanIn]
   * @param dz BF16 [outputs, fanOut]
   * @param map of at most 25 offsets; its order, if any, makes sparse patterns cheaper
   * @param slices {@link #slices} of the same shapes
   * @param partials F32 [slices, K, fanIn, fanOut], all of it written
   */
  public void weightGradient(
      long x, long dz, Map map, int fanIn, int fanOut, int slices, long partials) {
    Tiles tiles = (x | dz) % ALIGNMENT == 0 ? tiles(fanIn, fanOut) : tilesAny;
    Kernel kernel = tiles.kernel.begin().pointer(x).pointer(dz);
    kernel.pointer(map.pointers()).pointer(map.masks()).pointer(map.inputs());
    kernel.pointer(map.order()).int64(map.outputs()).int32(map.offsets());
    kernel.int32(fanIn).int32(fanOut).pointer(partials);
    kernel.launch(
        tiles.groups(map.offsets()),
        slices,
        tiles.tiles(fanIn, fanOut),
        tiles.threads,
        1,
        1,
        tiles.sharedBytes);
  }
}
