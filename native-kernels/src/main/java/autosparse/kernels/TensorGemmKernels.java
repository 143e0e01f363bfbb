package autosparse.kernels;

import java.util.Locale;
import java.util.Map;

/**
 * Launches the kernels of {@code gemm_tensor.cu}: products on tensor cores, for GPUs of compute
 * capability 8.0 and newer. Arguments are device addresses.
 */
public final class TensorGemmKernels {
  private static final String FAMILY = "gemm_tensor";
  private static final int THREADS = 256;

  /** Large tiles are half as wide as the float kernels'. */
  private static final GemmTiles TILES = new GemmTiles(64);

  private final Map<Storage, Map<GemmTiles.Size, Kernel>> tiles;
  private final Kernel addSlices;
  private final int mostBlocks;

  public TensorGemmKernels(CudaContext context) {
    tiles =
        Storage.each(
            factors ->
                GemmTiles.Size.each(
                    size -> context.kernel(FAMILY, "gemm_tensor_" + size + "_" + name(factors))));
    addSlices = context.kernel(FAMILY, "gemm_tensor_slices");
    mostBlocks = Grids.resident(context.gpu(), THREADS);
  }

  /** Floats are rounded to tf32. */
  private static String name(Storage factors) {
    return factors == Storage.F32 ? "tf32" : factors.name().toLowerCase(Locale.ROOT);
  }

  /** Slices that K is cut into, by the shape alone; their sums are added in order. */
  public static long slices(GemmKernels.Product product) {
    return TILES.slices(product.m(), product.n(), product.k());
  }

  /**
   * Runs a product; sums and bias are in single precision.
   *
   * @param factors type of A and B: F32 (rounded to tf32) or BF16
   * @param result type of C
   * @param partial address of F32 [slices(product), m, n], overwritten; unused for one slice
   */
  public void multiply(Storage factors, GemmKernels.Product product, Storage result, long partial) {
    Kernel kernel = tiles.get(factors).get(TILES.of(product.m(), product.n()));
    long slices = slices(product);
    kernel.begin().pointer(product.a()).int32(product.transposeA() ? 1 : 0);
    kernel.pointer(product.b()).int32(product.transposeB() ? 1 : 0);
    kernel.int64(product.m()).int64(product.n()).int64(product.k());
    kernel.int64(GemmTiles.sliceDepth(product.k(), slices));
    if (slices == 1) {
      finish(kernel, product, result);
    } else {
      kernel.float32(1).float32(0).pointer(0).int32(0).pointer(partial).int32(0);
    }
    long blocks = TILES.down(product.m(), product.n()) * TILES.across(product.m(), product.n());
    kernel.launch(blocks, 1, slices, THREADS, 1, 1, 0);
    if (slices > 1) {
      long elements = product.m() * product.n();
      addSlices.begin().pointer(partial).int64(slices).int64(elements).int64(product.n());
      finish(addSlices, product, result);
      addSlices.launch(Math.min(mostBlocks, Grids.blocks(elements, THREADS)), THREADS);
    }
  }

  private static void finish(Kernel kernel, GemmKernels.Product product, Storage result) {
    kernel.float32(product.alpha()).float32(product.beta()).pointer(product.bias());
    kernel.int32(product.relu() ? 1 : 0).pointer(product.c());
    kernel.int32(result == Storage.BF16 ? 1 : 0);
  }
}
