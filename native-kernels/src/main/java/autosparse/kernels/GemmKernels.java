package autosparse.kernels;

import java.util.EnumMap;
import java.util.Map;

/** Launches the kernels of {@code gemm.cu}. Arguments are device addresses. */
public final class GemmKernels {
  private static final String FAMILY = "gemm";
  private static final int THREADS = 256;

  /** Tiles from which on the device is busy without cutting K. */
  private static final long WANTED_TILES = 128;

  /** Shortest slice of K; slices are multiples of {@link #DEPTH}. */
  private static final long LEAST_SLICE = 256;

  private static final long MOST_SLICES = 256;

  /** Slices start at multiples of the deepest tile. */
  private static final long DEPTH = 32;

  /** A tile of C. */
  private enum Tile {
    LARGE(128, 128),
    MEDIUM(64, 64),
    NARROW(128, 32);

    private final int rows;
    private final int columns;

    Tile(int rows, int columns) {
      this.rows = rows;
      this.columns = columns;
    }

    long count(long m, long n) {
      return Grids.blocks(m, rows) * Grids.blocks(n, columns);
    }

    /** By the shape alone, since the slices depend on it. */
    static Tile of(long m, long n) {
      if (n <= NARROW.columns) {
        return NARROW;
      }
      return LARGE.count(m, n) >= WANTED_TILES && n > MEDIUM.columns ? LARGE : MEDIUM;
    }
  }

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
      long tiles = Tile.of(m, n).count(m, n);
      if (tiles == 0 || tiles >= WANTED_TILES || k < 2 * LEAST_SLICE) {
        return 1;
      }
      long wanted = Math.min(MOST_SLICES, 2 * WANTED_TILES / tiles);
      return Grids.blocks(k, sliceDepth(Math.min(wanted, k / LEAST_SLICE)));
    }

    private long sliceDepth(long slices) {
      return Math.max(1, Grids.blocks(Grids.blocks(k, slices), DEPTH)) * DEPTH;
    }
  }

  private final Map<Tile, Kernel> tiles = new EnumMap<>(Tile.class);
  private final Kernel addSlices;
  private final int mostBlocks;

  public GemmKernels(CudaContext context) {
    tiles.put(Tile.LARGE, context.kernel(FAMILY, "gemm_large_f32"));
    tiles.put(Tile.MEDIUM, context.kernel(FAMILY, "gemm_medium_f32"));
    tiles.put(Tile.NARROW, context.kernel(FAMILY, "gemm_narrow_f32"));
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
    Tile tile = Tile.of(product.m, product.n);
    Kernel kernel = tiles.get(tile);
    kernel.begin().pointer(product.a).int32(product.transposeA ? 1 : 0);
    kernel.pointer(product.b).int32(product.transposeB ? 1 : 0);
    kernel.int64(product.m).int64(product.n).int64(product.k);
    kernel.int64(product.sliceDepth(slices)).float32(alpha).float32(beta);
    kernel.pointer(bias).int32(relu ? 1 : 0).pointer(c);
    kernel.launch(
        Grids.blocks(product.m, tile.rows),
        Grids.blocks(product.n, tile.columns),
        slices,
        THREADS,
        1,
        1,
        0);
  }
}
