package autosparse.trainer.doctor;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/** Short measurements of what the machine can do: the best of a few runs after a warm-up. */
final class Rates {
  static final int SGEMM_SIZE = 1024;
  static final int REPEATS = 8;

  /** Far more than any cache. */
  private static final int COPY_BYTES = 256 << 20;

  private Rates() {}

  /** Floating-point operations per second of OpenBLAS's sgemm on all its threads. */
  static double sgemmFlopsPerSecond() {
    int n = SGEMM_SIZE;
    try (FloatPointer a = new FloatPointer((long) n * n);
        FloatPointer b = new FloatPointer((long) n * n);
        FloatPointer c = new FloatPointer((long) n * n)) {
      for (long i = 0; i < (long) n * n; i++) {
        a.put(i, (float) (i % 7) - 3);
        b.put(i, (float) (i % 5) - 2);
      }
      double seconds =
          bestSeconds(
              () ->
                  openblas.cblas_sgemm(
                      openblas.CblasRowMajor,
                      openblas.CblasNoTrans,
                      openblas.CblasNoTrans,
                      n,
                      n,
                      n,
                      1f,
                      a,
                      n,
                      b,
                      n,
                      0f,
                      c,
                      n));
      return 2.0 * n * n * n / seconds;
    }
  }

  /** Bytes per second of a copy in memory, read and written bytes both counted. */
  static double copyBytesPerSecond() {
    ByteBuffer from = ByteBuffer.allocateDirect(COPY_BYTES);
    ByteBuffer to = ByteBuffer.allocateDirect(COPY_BYTES);
    double seconds = bestSeconds(() -> to.put(0, from, 0, COPY_BYTES));
    return 2.0 * COPY_BYTES / seconds;
  }

  private static double bestSeconds(Runnable work) {
    long best = Long.MAX_VALUE;
    work.run();
    for (int i = 0; i < REPEATS; i++) {
      long start = System.nanoTime();
      work.run();
      best = Math.min(best, System.nanoTime() - start);
    }
    return best / 1e9;
  }
}
