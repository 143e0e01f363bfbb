package autosparse.benchmarks;

import java.util.concurrent.CountDownLatch;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/** A processor's ceilings: OpenBLAS's sgemm, 1024×1024×1024, and memcpy. */
final class HostCeilings {
  private static final int SIZE = 1024;
  private static final long COPY_BYTES = 128L << 20;
  private static final int REPEATS = 8;

  private HostCeilings() {}

  /**
   * Measures both; the best of some repeats after a warm-up. Takes about half a second.
   *
   * @param workers number of threads; 0 for all cores
   */
  static Ceilings measure(int workers) {
    int threads = workers == 0 ? Runtime.getRuntime().availableProcessors() : workers;
    return new Ceilings(measureSgemm(threads), measureCopy(threads));
  }

  private static double measureSgemm(int threads) {
    long elements = (long) SIZE * SIZE;
    // The engine runs one BLAS call a thread and has set BLAS's own threads to one.
    openblas.blas_set_num_threads(threads);
    try (FloatPointer a = filled(elements);
        FloatPointer b = filled(elements);
        FloatPointer c = filled(elements)) {
      Runnable product =
          () ->
              openblas.cblas_sgemm(
                  openblas.CblasRowMajor,
                  openblas.CblasNoTrans,
                  openblas.CblasNoTrans,
                  SIZE,
                  SIZE,
                  SIZE,
                  1,
                  a,
                  SIZE,
                  b,
                  SIZE,
                  0,
                  c,
                  SIZE);
      return 2.0 * SIZE * SIZE * SIZE / bestSeconds(product);
    } finally {
      openblas.blas_set_num_threads(1);
    }
  }

  private static FloatPointer filled(long elements) {
    FloatPointer values = new FloatPointer(elements);
    for (long i = 0; i < elements; i++) {
      values.put(i, (i % 17 - 8) * 0.125f);
    }
    return values;
  }

  private static double measureCopy(int threads) {
    long share = COPY_BYTES / threads;
    try (BytePointer from = new BytePointer(COPY_BYTES);
        BytePointer to = new BytePointer(COPY_BYTES)) {
      Pointer.memset(from, 1, COPY_BYTES);
      Pointer.memset(to, 2, COPY_BYTES);
      double seconds =
          bestSeconds(
              () ->
                  inParallel(
                      threads,
                      t ->
                          Pointer.memcpy(
                              to.getPointer(t * share), from.getPointer(t * share), share)));
      return 2.0 * share * threads / seconds;
    }
  }

  @FunctionalInterface
  private interface Part {
    void run(int thread);
  }

  private static void inParallel(int threads, Part work) {
    CountDownLatch done = new CountDownLatch(threads - 1);
    for (int t = 1; t < threads; t++) {
      int part = t;
      new Thread(
              () -> {
                work.run(part);
                done.countDown();
              })
          .start();
    }
    work.run(0);
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring the copy bandwidth", e);
    }
  }

  private static double bestSeconds(Runnable work) {
    long best = Long.MAX_VALUE;
    for (int repeat = 0; repeat <= REPEATS; repeat++) {
      long start = System.nanoTime();
      work.run();
      if (repeat > 0) {
        best = Math.min(best, System.nanoTime() - start);
      }
    }
    return best / 1e9;
  }
}
