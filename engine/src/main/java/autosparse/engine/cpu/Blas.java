package autosparse.engine.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/**
 * OpenBLAS on the calling thread. Its own threads stay off: the tiles of {@link WorkerPool} are the
 * parallelism, so that results do not depend on the number of threads.
 */
final class Blas {
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int TRANSPOSED = 112;

  static {
    openblas.blas_set_num_threads(1);
  }

  private Blas() {}

  static String version() {
    return openblas.OPENBLAS_VERSION.strip();
  }

  /** C[m, n] = alpha·op(A)·op(B) + beta·C; the leading dimensions are the rows' distances. */
  static void sgemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int distanceA,
      FloatPointer b,
      int distanceB,
      float beta,
      FloatPointer c,
      int distanceC) {
    openblas.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : AS_IS,
        transposeB ? TRANSPOSED : AS_IS,
        m,
        n,
        k,
        alpha,
        a,
        Math.max(1, distanceA),
        b,
        Math.max(1, distanceB),
        beta,
        c,
        Math.max(1, distanceC));
  }
}
