package autosparse.benchmarks;

import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;

/** Contents for tensors too large to be drawn value by value. */
final class RandomTensors {
  /** A prime, so that rows of no usual length repeat. */
  private static final int PERIOD = 1_000_003;

  private RandomTensors() {}

  /** Uniform values in [−1, 1), the same ones again after a million and three. */
  static void fill(Tensor tensor, long seed) {
    RandomStream random = RandomStream.named(seed, "contents");
    float[] values = new float[(int) Math.min(PERIOD, tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    for (long at = 0; at < tensor.elements(); at += values.length) {
      tensor.write(at, values, 0, (int) Math.min(values.length, tensor.elements() - at));
    }
  }
}
