package autosparse.trainer.doctor;

import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.nio.ByteBuffer;

/** Short measurements of what the machine can do: the best of a few runs after a warm-up. */
final class Rates {
  static final int CPU_SGEMM_SIZE = 1024;
  static final int CUDA_SGEMM_SIZE = 8192;
  static final int REPEATS = 8;

  /** Far more than any cache. */
  private static final int COPY_BYTES = 256 << 20;

  private Rates() {}

  /**
   * Floating-point operations per second of a device's GEMM.
   *
   * @param n rows and columns of the matrices
   */
  static double sgemmFlopsPerSecond(Device device, int n) {
    try (TensorScope scope = device.root().child("sgemm")) {
      double[] values = new double[n * n];
      for (int i = 0; i < values.length; i++) {
        values[i] = i % 7 - 3;
      }
      Tensor a = scope.reals("a", MemoryTag.INPUT, values, n, n);
      Tensor b = scope.reals("b", MemoryTag.INPUT, values, n, n);
      Tensor c = scope.real("c", MemoryTag.INPUT, n, n);
      float[] one = new float[1];
      double seconds =
          bestSeconds(
              () -> {
                device.operators().gemm().gemm(false, a, false, b, 1, 0, c);
                c.read(0, one, 0, 1); // a GPU is done when its result can be read
              });
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
