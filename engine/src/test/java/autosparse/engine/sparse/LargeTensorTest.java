package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** Features of more than 2^31 elements, of which only a few pages are ever touched. */
class LargeTensorTest {
  private static final int CHANNELS = 1 << 20;
  private static final int STRIDE = 700;

  @Test
  void readsRowsBeyondTwoToThe31Elements() {
    int rows = 3 * STRIDE + 1;
    long capacity = 4L * rows * CHANNELS + (64L << 20);
    assumeTrue(
        Pointer.totalPhysicalBytes() > capacity,
        "needs an address range of " + capacity + " bytes");
    try (HostDevice device = HostDevice.cpu(new HostDevice.Options(capacity, 2, false));
        TensorScope scope = device.root().child("large")) {
      Sites inputs = Sites.of(scope, Patterns.random(rows, 1, 1, 0));
      Sites outputs = device.operators().pattern().downsample(inputs, STRIDE, scope);
      ConvolutionKernel kernel = new ConvolutionKernel(1, STRIDE, 1);
      NeighborMap map = device.operators().pattern().neighbors(inputs, outputs, kernel, scope);
      Tensor x = scope.real("x", MemoryTag.INPUT, rows, CHANNELS);
      Tensor weight = scope.reals("w", MemoryTag.WEIGHTS, new double[CHANNELS], 1, CHANNELS, 1);
      weight.write(CHANNELS - 1L, new float[] {2}, 0, 1);
      double[] expected = new double[4];
      for (int o = 0; o < 4; o++) {
        x.write((long) o * STRIDE * CHANNELS, new float[CHANNELS], 0, CHANNELS);
        x.write(((long) o * STRIDE + 1) * CHANNELS - 1, new float[] {o + 1}, 0, 1);
        expected[o] = 2.0 * (o + 1);
      }
      Tensor y = scope.real("y", MemoryTag.ACTIVATION, 4, 1);
      device.operators().convolution().forward(x, weight, map, false, y);
      assertArrayEquals(expected, y.toDoubles());
    }
  }
}
