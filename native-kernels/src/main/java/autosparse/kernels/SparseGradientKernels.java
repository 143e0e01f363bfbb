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

  /** The template parameters of an entry; see GradientTiles in {@code gradient_tiles.cuh}. */
  private record Tiles(
      Kernel kernel, int fanIn, int fanOut, int offsets, int sites, int stages, int chunk) {
    int sharedBytes() {
      int lists = 2 * chunk * (offsets + 1) + 4 * chunk / 16;
      return BFLOAT16_BYTES * stages * sites * (offsets * fanIn + fanOut) + Integer.BYTES * lists;
    }

    long groups(int allOffsets) {
      return Grids.blocks(allOffsets, offsets);
    }

    long tiles(int allIn, int allOut) {
      return Grids.blocks(allIn, fanIn) * Grids.blocks(allOut, fanOut);
    }
  }

  private static final int THREADS = 256;

  private final Tiles tiles32;
  private final Tiles tiles64;
  private final Tiles tiles128;
  private final Tiles tiles128x128;
  private final Tiles tilesAny;

  public SparseGradientKernels(CudaContext context) {
    boolean hopper = context.gpu().major() == 9 && context.gpu().minor() == 0;
    int chunk = hopper ? 256 : 128;
    tiles32 = tiles(context, "gradient_32_bf16", 32, 32, 9, 64, hopper ? 4 : 2, chunk);
    tiles64 = tiles(context, "gradient_64_bf16", 64, 32, 9, 32, hopper ? 4 : 2, chunk);
    tiles128 = tiles(context, "gradient_128_bf16", 128, 32, 9, 16, hopper ? 5 : 2, chunk);
    tiles128x128 = tiles(context, "gradient_128x128_bf16", 128, 128, 3, 32, hopper ? 5 : 2, chunk);
    tilesAny = tiles(context, "gradient_any_bf16", 32, 32, 9, 64, 2, 128);
  }

  private static Tiles tiles(
      CudaContext context,
      String name,
      int fanIn,
      int fanOut,
      int offsets,
      int sites,
      int stages,
      int chunk) {
    return new Tiles(context.kernel(FAMILY, name), fanIn, fanOut, offsets, sites, stages, chunk);
  }

  private Tiles tiles(int fanIn, int fanOut) {
    if (fanIn % PACK != 0 || fanOut % PACK != 0) {
      return tilesAny;
    }
    if (fanIn > 64) {
      return fanOut > 32 ? tiles128x128 : tiles128;
    }
    return fanIn > 32 ? tiles64 : tiles32;
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
        THREADS,
        1,
        1,
        tiles.sharedBytes());
  }
}
