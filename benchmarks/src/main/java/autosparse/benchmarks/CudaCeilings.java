package autosparse.benchmarks;

import autosparse.engine.DType;
import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;

/**
 * A GPU's ceilings: the engine's own product of two 8192×8192 matrices, in the device's precision,
 * and its own copy kernel over half a gigabyte.
 */
final class CudaCeilings {
  private static final long SIZE = 8192;
  private static final long COPY_BYTES = 1L << 29;
  private static final int REPEATS = 8;

  private CudaCeilings() {}

  /** Measures both: device time by events, the best of some repeats after a warm-up. */
  static Ceilings measure(Device device, DType activation, Stopwatch stopwatch) {
    try (TensorScope scope = device.root().child("ceilings")) {
      double product = product(scope, activation, stopwatch);
      return new Ceilings(
          2.0 * SIZE * SIZE * SIZE / product, 2.0 * COPY_BYTES / copy(scope, stopwatch));
    }
  }

  private static double product(TensorScope parent, DType type, Stopwatch stopwatch) {
    try (TensorScope scope = parent.child("product")) {
      Tensor a = scope.create("a", type, MemoryTag.WORKSPACE, SIZE, SIZE);
      Tensor b = scope.create("b", type, MemoryTag.WORKSPACE, SIZE, SIZE);
      Tensor c = scope.create("c", type, MemoryTag.WORKSPACE, SIZE, SIZE);
      // Products of zeros would run at a higher clock than any real ones.
      RandomTensors.fill(a, 1);
      RandomTensors.fill(b, 2);
      var gemm = scope.device().operators().gemm();
      return bestSeconds(stopwatch, () -> gemm.gemm(false, a, true, b, 1, 0, c));
    }
  }

  private static double copy(TensorScope parent, Stopwatch stopwatch) {
    try (TensorScope scope = parent.child("copy")) {
      Tensor from = scope.create("from", DType.F32, MemoryTag.WORKSPACE, COPY_BYTES / 4);
      Tensor to = scope.create("to", DType.F32, MemoryTag.WORKSPACE, COPY_BYTES / 4);
      RandomTensors.fill(from, 3);
      var elementwise = scope.device().operators().elementwise();
      return bestSeconds(stopwatch, () -> elementwise.copy(from, to));
    }
  }

  private static double bestSeconds(Stopwatch stopwatch, Runnable work) {
    double best = Double.MAX_VALUE;
    for (int repeat = 0; repeat <= REPEATS; repeat++) {
      double seconds = stopwatch.time(work).milliseconds() / 1e3;
      best = repeat == 0 ? best : Math.min(best, seconds);
    }
    return best;
  }
}
