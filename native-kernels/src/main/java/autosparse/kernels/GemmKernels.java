package autosparse.kernels;

import java.util.Map;

/** Launches the kernels of {@code gemm.cu}. Arguments are device addresses. */
public final class GemmKernels {
  private static final String FAMILY = "gemm";
  private static final int THREADS = 256;

  /** Large tiles are square. */
  private static final GemmTiles TILES = new GemmTiles(128);

  /**
   * One product C [m, n] = alpha·op(A)·op(B) + beta·C, then the bias and the ReLU.
   *
   * @param a address of A: [m, k], or [k, m] when transposed
   * @param b address of B: [k, n], or [n, k] when transposed
   * @param beta 0 overwrites C, whatever it held
   * @param bias address of [n], or 0 for none
   */
  public record Product(
      boolean transposeA,
      long a,
      boolean transposeB,
      long b,
      long m,
      long n,
      long k,
      float alpha,
      float beta,
      long bias,
      boolean relu,
      long c) {
    /** Slices that K is cut into, by the shape alone; their sums are added in order. */
    public long slices() {
      return TILES.slices(m, n, k);
    }

    /** Without bias and ReLU. */
    public Product plain() {
      return new Product(transposeA, a, transposeB, b, m, n, k, alpha, beta, 0, false, c);
    }
  }

  private final Map<GemmTiles.Size, Kernel> tiles;
  private final Kernel addSlices;
  private final int mostBlocks;

  public GemmKernels(CudaContext context) {
    tiles = GemmTiles.Size.each(size -> context.kernel(FAMILY, "gemm_" + size + "_f32"));
    addSlices = context.kernel(FAMILY, "gemm_slices_f32");
    mostBlocks = Grids.resident(context.gpu(), THREADS);
  }

  /**
   * Runs a product.
   *
   * @param partial address of F32 [product.slices(), m, n], overwritten; unused for one slice
   */
  public void multiply(Product product, long partial) {
    long slices = product.slices();
    if (slices == 1) {
      launch(product, 1, product.alpha, product.beta, product.bias, product.relu, product.c);
      return;
    }
    launch(product, slices, 1, 0, 0, false, partial);
    long elements = product.m * product.n;
    addSlices.begin().pointer(partial).int64(slices).int64(elements).int64(product.n);
    addSlices.float32(product.alpha).float32(product.beta).pointer(product.bias);
    addSlices.int32(product.relu ? 1 : 0).pointer(product.c);
    addSlices.launch(Math.min(mostBlocks, Grids.blocks(elements, THREADS)), THREADS);
  }

  private void launch(
      Product product, long slices, float alpha, float beta, long bias, boolean relu, long c) {
    Kernel kernel = tiles.get(TILES.of(product.m, product.n));
    kernel.begin().pointer(product.a).int32(product.transposeA ? 1 : 0);
    kernel.pointer(product.b).int32(product.transposeB ? 1 : 0);
    kernel.int64(product.m).int64(product.n).int64(product.k);
    kernel.int64(GemmTiles.sliceDepth(product.k, slices)).float32(alpha).float32(beta);
    kernel.pointer(bias).int32(relu ? 1 : 0).pointer(c);
    kernel.launch(
        TILES.down(product.m, product.n),
        TILES.across(product.m, product.n),
        slices,
        THREADS,
        1,
        1,
        0);
  }
}
