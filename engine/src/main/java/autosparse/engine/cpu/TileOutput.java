package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import java.nio.FloatBuffer;

/** What is done to freshly computed outputs while they are in the cache. */
final class TileOutput {
  private TileOutput() {}

  /** Replaces {@code count} elements from {@code from} on by max(0, ·). */
  static void rectify(Tensor y, long from, int count, Scratch scratch) {
    float[] values = scratch.array(0, count);
    y.read(from, values, 0, count);
    rectify(values, count);
    y.write(from, values, 0, count);
  }

  /** The same for floats of the native block. */
  static void rectifyNative(Scratch scratch, int from, int count) {
    float[] values = scratch.array(0, count);
    FloatBuffer block = scratch.nativeFloats();
    block.get(from, values, 0, count);
    rectify(values, count);
    block.put(from, values, 0, count);
  }

  private static void rectify(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = Math.max(values[i], 0f);
    }
  }

  static void fillZero(Tensor tensor) {
    float[] zeros = new float[(int) Math.min(tensor.elements(), 1 << 16)];
    for (long at = 0; at < tensor.elements(); at += zeros.length) {
      tensor.write(at, zeros, 0, (int) Math.min(zeros.length, tensor.elements() - at));
    }
  }
}
