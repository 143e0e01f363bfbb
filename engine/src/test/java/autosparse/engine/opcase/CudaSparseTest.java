package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import autosparse.engine.CudaDevice;
import autosparse.engine.GpuTests;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the cases cannot see: the order of processing, and sizes beyond 2^31. */
@Tag("gpu")
class CudaSparseTest {
  private static final int WINDOW = 1 << 16;

  @BeforeAll
  static void requireGpu() {
    GpuTests.require();
  }

  @Test
  void outputsAreProcessedByMaskAndTheOrderChangesNoBit() {
    try (CudaDevice device = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(1L << 30));
        TensorScope scope = device.root().child("test")) {
      Random random = new Random(5);
      Sites sites = SparseSamples.sites(scope, 150_000, .3, random);
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      NeighborMap map = device.operators().pattern().neighbors(sites, sites, kernel, scope);

      int[] masks = map.masks().toInts();
      int[] order = map.order().toInts();
      for (int first = 0; first < order.length; first += WINDOW) {
        int[] window = Arrays.copyOfRange(order, first, Math.min(order.length, first + WINDOW));
        for (int i = 1; i < window.length; i++) {
          int before = masks[window[i - 1]];
          int here = masks[window[i]];
          assertTrue(
              before < here || (before == here && window[i - 1] < window[i]),
              "place " + (first + i) + " holds site " + window[i]);
        }
        Arrays.sort(window);
        for (int i = 0; i < window.length; i++) {
          assertEquals(first + i, window[i]);
        }
      }

      NeighborMap natural =
          new NeighborMap(kernel, sites, sites, map.pointers(), map.masks(), map.inputs(), null);
      Tensor x = SparseSamples.values(scope, "x", random, sites.count(), 32);
      Tensor weight = SparseSamples.values(scope, "weight", random, 9, 32, 32);
      Tensor y = scope.real("y", MemoryTag.ACTIVATION, sites.count(), 32);
      device.operators().convolution().forward(x, weight, map, true, y);
      float[] ordered = y.toFloats();
      device.operators().convolution().forward(x, weight, natural, true, y);
      assertArrayEquals(ordered, y.toFloats());
    }
  }

  @Test
  void featuresMayHaveMoreThanTwoToThe31Elements() {
    int sites = (1 << 24) + 1000;
    int fanIn = 128;
    int fanOut = 4;
    long needed = 2L * Float.BYTES * sites * fanIn + (4L << 30);
    try (CudaDevice device = CudaDevice.open(CudaDevice.Options.of(0));
        TensorScope scope = device.root().child("test")) {
      assumeTrue(device.memory().capacity() >= needed, "needs " + needed + " bytes of GPU memory");
      long[] rowPointers = new long[sites + 1];
      Arrays.setAll(rowPointers, row -> row);
      Sites column =
          Sites.of(scope, new Sites.Pattern(sites, 1, rowPointers, new int[sites])); // one a row
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      NeighborMap map = device.operators().pattern().neighbors(column, column, kernel, scope);
      assertEquals(3L * sites - 2, map.pairs());

      Tensor x = filled(scope, "x", sites, fanIn);
      Tensor weight = filled(scope, "weight", 9, fanIn, fanOut);
      Tensor y = filled(scope, "y", sites, fanOut);
      set(x, sites - 1, 2);
      device.operators().convolution().forward(x, weight, map, false, y);
      assertRow(fanIn * (1 + 1), y, 0);
      assertRow(fanIn * (1 + 1 + 2), y, sites - 2);
      assertRow(fanIn * (1 + 2), y, sites - 1);

      Tensor dz = filled(scope, "dz", sites, fanOut);
      Tensor dx = filled(scope, "dx", sites, fanIn);
      Tensor dWeight = scope.zeros("dWeight", MemoryTag.GRADIENTS, 9, fanIn, fanOut);
      set(dz, sites - 1, 3);
      device.operators().convolution().backward(x, weight, map, dz, dx, dWeight);
      assertRow(fanOut * (1 + 1 + 3), dx, sites - 2);
      assertRow(fanOut * (1 + 3), dx, sites - 1);
      double[] gradient = dWeight.toDoubles();
      int perOffset = fanIn * fanOut;
      assertEquals(0, gradient[0]);
      // Sums beyond 2^24 are rounded to multiples of 2.
      assertEquals(sites - 1 + 2 * 3, gradient[4 * perOffset], 4);
      assertEquals(sites - 2 + 3, gradient[3 * perOffset + perOffset - 1], 4);
      assertEquals(sites - 2 + 2, gradient[5 * perOffset], 4);
    }
  }

  private static Tensor filled(TensorScope scope, String name, long... sizes) {
    Tensor tensor = scope.real(name, MemoryTag.ACTIVATION, sizes);
    scope.device().operators().elementwise().fill(tensor, 1);
    return tensor;
  }

  private static void set(Tensor tensor, long row, float value) {
    float[] values = new float[Math.toIntExact(tensor.dim(1))];
    Arrays.fill(values, value);
    tensor.write(row * values.length, values, 0, values.length);
  }

  private static void assertRow(float expected, Tensor tensor, long row) {
    float[] values = new float[Math.toIntExact(tensor.dim(1))];
    float[] all = values.clone();
    Arrays.fill(all, expected);
    tensor.read(row * values.length, values, 0, values.length);
    assertArrayEquals(all, values, tensor + " row " + row);
  }
}
