package autosparse.engine.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/**
 * Single-threaded BLAS products of row-major tiles: each worker thread calls its own, so that the
 * order of the sums never depends on how many threads there are.
 */
final class TileGemm {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;

  static {
    openblas.blas_set_num_threads(1);
  }

  private TileGemm() {}

  /** C[m, n] = A[m, k]·B[k, n] + beta·C; the row lengths of A, B, C are k, n, n. */
  static void multiply(
      int m, int n, int k, FloatPointer a, FloatPointer b, float beta, FloatPointer c) {
    openblas.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, m, n, k, 1, a, k, b, n, beta, c, n);
  }

  /** C[m, n] = A[k, m]ᵀ·B[k, n] + beta·C; the row lengths of A, B, C are m, n, n. */
  static void multiplyTransposed(
      int m, int n, int k, FloatPointer a, FloatPointer b, float beta, FloatPointer c) {
    openblas.cblas_sgemm(ROW_MAJOR, TRANSPOSED, PLAIN, m, n, k, 1, a, m, b, n, beta, c, n);
  }
}
