package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolution and both gradients against {@link DenseConvolution}, on every host device. */
class SparseConvolutionOracleTest {
  record Case(
      String device, ConvolutionKernel kernel, int fanIn, int fanOut, double density, int edge) {
    @Override
    public String toString() {
      return device
          + " "
          + kernel
          + " "
          + fanIn
          + "→"
          + fanOut
          + " density "
          + density
          + " edge "
          + edge;
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    int[][] channels = {{1, 4}, {2, 6}, {5, 3}, {8, 8}};
    int turn = 0;
    for (String device : List.of("reference", "cpu")) {
      for (int size : new int[] {1, 3, 5}) {
        for (int stride : new int[] {1, 2, 3}) {
          for (int dilation = 1; dilation <= 3; dilation++) {
            ConvolutionKernel kernel = new ConvolutionKernel(size, stride, dilation);
            for (double density : new double[] {.01, .1, .5, 1}) {
              int[] c = channels[turn++ % channels.length];
              cases.add(new Case(device, kernel, c[0], c[1], density, 17));
            }
          }
        }
      }
    }
    // Large enough for several tiles and slices; the channel counts of the tower.
    for (int stride = 1; stride <= 2; stride++) {
      for (double density : new double[] {.3, 1}) {
        cases.add(new Case("cpu", new ConvolutionKernel(3, stride, 1), 32, 8, density, 70));
        cases.add(new Case("cpu", new ConvolutionKernel(3, stride, 3), 8, 32, density, 70));
        cases.add(new Case("cpu", new ConvolutionKernel(3, stride, 2), 7, 9, density, 70));
      }
    }
    cases.add(new Case("cpu", new ConvolutionKernel(5, 1, 2), 3, 4, .6, 70));
    cases.add(new Case("cpu", new ConvolutionKernel(3, 1, 1), 128, 32, .2, 20));
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesDenseConvolution(Case test) {
    HostDevice.Options options =
        HostDevice.Options.defaults().withCapacity(1L << 27).withThreads(2).withGuards();
    boolean cpu = test.device.equals("cpu");
    double tolerance = cpu ? 2e-6 : 1e-13;
    try (HostDevice device = cpu ? HostDevice.cpu(options) : HostDevice.reference(options);
        TensorScope scope = device.root().child("test")) {
      ConvolutionKernel kernel = test.kernel;
      Random random = new Random(test.toString().hashCode());
      Sites inputs =
          Sites.of(
              scope,
              Patterns.random(test.edge, test.edge - 2, test.density, random.nextLong()),
              Patterns.random(0, 5, 1, 0),
              Patterns.random(3, 4, 0, 0),
              Patterns.random(test.edge / 2, test.edge, test.density, random.nextLong()));
      Sites outputs =
          kernel.isSubmanifold()
              ? inputs
              : device.operators().pattern().downsample(inputs, kernel.stride(), scope);
      NeighborMap map = device.operators().pattern().neighbors(inputs, outputs, kernel, scope);
      DenseConvolution oracle =
          new DenseConvolution(
              kernel.size(),
              kernel.stride(),
              kernel.dilation(),
              test.fanIn,
              test.fanOut,
              inputs,
              outputs,
              test.edge,
              test.edge);
      double[] xs = values(random, inputs.count() * test.fanIn);
      double[] ws = values(random, (long) kernel.offsets() * test.fanIn * test.fanOut);
      double[] dzs = values(random, outputs.count() * test.fanOut);
      Tensor x = scope.reals("x", MemoryTag.INPUT, xs, inputs.count(), test.fanIn);
      Tensor weight =
          scope.reals("w", MemoryTag.WEIGHTS, ws, kernel.offsets(), test.fanIn, test.fanOut);
      Tensor dz = scope.reals("dz", MemoryTag.INPUT, dzs, outputs.count(), test.fanOut);
      Tensor y = scope.real("y", MemoryTag.ACTIVATION, outputs.count(), test.fanOut);
      Tensor dx = scope.real("dx", MemoryTag.GRADIENTS, inputs.count(), test.fanIn);
      double[] before = values(random, ws.length);
      Tensor dWeight =
          scope.reals("dw", MemoryTag.GRADIENTS, before, kernel.offsets(), test.fanIn, test.fanOut);

      double[] expected = oracle.forward(xs, ws);
      device.operators().convolution().forward(x, weight, map, false, y);
      assertClose("y", expected, y, tolerance);
      device.operators().convolution().forward(x, weight, map, true, y);
      assertClose("relu(y)", Arrays.stream(expected).map(v -> Math.max(0, v)), y, tolerance);

      device.operators().convolution().backward(x, weight, map, dz, dx, dWeight);
      double[] expectedDx = oracle.inputGradient(ws, dzs);
      double[] expectedDw = oracle.weightGradient(xs, dzs);
      for (int i = 0; i < before.length; i++) {
        expectedDw[i] += before[i];
      }
      assertClose("dx", expectedDx, dx, tolerance);
      assertClose("dWeight", expectedDw, dWeight, tolerance);
      assertEachGradientAlone(device, x, weight, map, dz, dx, dWeight, before);
      assertOnes(device, inputs, kernel, weight, dz, y, dWeight, scope);
    }
  }

  /** Asking for one gradient gives the same bits as asking for both. */
  private static void assertEachGradientAlone(
      Device device,
      Tensor x,
      Tensor weight,
      NeighborMap map,
      Tensor dz,
      Tensor dx,
      Tensor dWeight,
      double[] before) {
    double[] bothDx = dx.toDoubles();
    double[] bothDw = dWeight.toDoubles();
    dx.setDoubles(new double[bothDx.length]);
    dWeight.setDoubles(before);
    device.operators().convolution().backward(x, weight, map, dz, dx, null);
    assertArrayEquals(before, dWeight.toDoubles());
    assertArrayEquals(bothDx, dx.toDoubles());
    device.operators().convolution().backward(x, weight, map, dz, null, dWeight);
    assertArrayEquals(bothDw, dWeight.toDoubles());
  }

  /** With one input channel of ones, the mask form is the ordinary one. */
  private static void assertOnes(
      Device device,
      Sites sites,
      ConvolutionKernel kernel,
      Tensor weight,
      Tensor dz,
      Tensor y,
      Tensor dWeight,
      TensorScope scope) {
    if (weight.dim(1) != 1 || !kernel.isSubmanifold()) {
      return;
    }
    double[] ones = new double[(int) sites.count()];
    Arrays.fill(ones, 1);
    Tensor x = scope.reals("ones", MemoryTag.INPUT, ones, ones.length, 1);
    NeighborMap map = device.operators().pattern().neighbors(sites, sites, kernel, scope);
    Tensor masks = device.operators().pattern().neighborhoodMasks(sites, kernel, scope);
    assertArrayEquals(map.masks().toInts(), masks.toInts());
    for (boolean relu : new boolean[] {false, true}) {
      device.operators().convolution().forward(x, weight, map, relu, y);
      double[] expected = y.toDoubles();
      device.operators().convolution().forwardOnes(kernel, masks, weight, relu, y);
      assertClose("ones y", expected, y, 2e-6);
    }
    dWeight.setDoubles(new double[(int) dWeight.elements()]);
    device.operators().convolution().backward(x, weight, map, dz, null, dWeight);
    double[] expected = dWeight.toDoubles();
    dWeight.setDoubles(new double[expected.length]);
    device.operators().convolution().backwardOnes(kernel, masks, dz, dWeight);
    assertClose("ones dWeight", expected, dWeight, 2e-6);
  }

  /** Random values that float holds exactly, so that every device sees the same. */
  private static double[] values(Random random, long count) {
    return random.doubles(count, -1, 1).map(v -> (float) v).toArray();
  }

  private static void assertClose(
      String what, java.util.stream.DoubleStream expected, Tensor actual, double tolerance) {
    assertClose(what, expected.toArray(), actual, tolerance);
  }

  private static void assertClose(String what, double[] expected, Tensor actual, double relative) {
    double[] values = actual.toDoubles();
    assertEquals(expected.length, values.length, what);
    double scale = Arrays.stream(expected).map(Math::abs).max().orElse(0);
    assertArrayEquals(expected, values, relative * scale + 1e-30, what);
  }
}
