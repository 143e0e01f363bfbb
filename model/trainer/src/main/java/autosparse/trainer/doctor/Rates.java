package autosparse.trainer.doctor;

import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.nio.ByteBuffer;

/** Short measurements of what the machine can do: the best of a few runs after a warm-up. */
final class Rates {
  static final int SGEMM_SIZE = 1024;
  static final int REPEATS = 8;

  /** Far more than any cache. */
  private static final int COPY_BYTES = 256 << 20;

  private Rates() {}

  /** Floating-point operations per second of the CPU engine's GEMM on all cores. */
  static double sgemmFlopsPerSecond() {
    long n = SGEMM_SIZE;
    HostDevice.Options options = HostDevice.Options.defaults().withCapacity(16 * n * n);
    try (HostDevice device = HostDevice.cpu(options)) {
      TensorScope root = device.root();
      double[] values = new double[(int) (n * n)];
      for (int i = 0; i < values.length; i++) {
        values[i] = i % 7 - 3;
      }
      Tensor a = root.reals("a", MemoryTag.INPUT, values, n, n);
      Tensor b = root.reals("b", MemoryTag.INPUT, values, n, n);
      Tensor c = root.real("c", MemoryTag.INPUT, n, n);
      double seconds =
          bestSeconds(() -> device.operators().gemm().gemm(false, a, false, b, 1, 0, c));
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
