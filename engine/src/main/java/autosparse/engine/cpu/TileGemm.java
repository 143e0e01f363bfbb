package autosparse.engine.cpu;

import org.bytedeco.javacpp.FloatPointer;

/** The products of sparse convolution's chunks, and how long a chunk should be. */
final class TileGemm {
  /** Bound on a tile's size: keeps scratch memory small when rows are very long. */
  private static final long MOST_FLOATS = 1L << 19;

  private TileGemm() {}

  /**
   * Rows of a tile whose product with [k, n] runs at BLAS's best: up to a million multiply-adds
   * OpenBLAS works in place, above it first copies both operands to blocks of its own, which pays
   * only for wide matrices.
   */
  static int tileRows(int n, int k) {
    long inPlace = 1_000_000L / ((long) n * k) / 16 * 16;
    long rows = inPlace >= 32 ? Math.min(128, inPlace) : 256;
    return (int) Math.max(16, Math.min(rows, MOST_FLOATS / k / 16 * 16));
  }

  /** C[m, n] = A[m, k]·B[k, n]. */
  static void multiply(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c) {
    Blas.sgemm(false, false, m, n, k, 1, a, k, b, n, 0, c, n);
  }

  /** C[m, n] += A[k, m]ᵀ·B[k, n], B and C being columns of matrices with longer rows. */
  static void accumulateTransposed(
      int m, int n, int k, FloatPointer a, FloatPointer b, int rowB, FloatPointer c, int rowC) {
    Blas.sgemm(true, false, m, n, k, 1, a, m, b, rowB, 1, c, rowC);
  }
}
