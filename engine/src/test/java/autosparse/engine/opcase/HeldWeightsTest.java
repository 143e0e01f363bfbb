package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.CudaDevice;
import autosparse.engine.DType;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.operators.SparseConvolutionOperators.HeldWeight;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.Gpu;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A held weight is rounded and turned once, and gives the bits that it gives otherwise. */
class HeldWeightsTest {
  private static final long CAPACITY = 1L << 26;
  private static final int ROWS = 300;
  private static final Gpu H200 = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);

  /** A convolution of some sites, with what both of its directions read and write. */
  private static final class Convolution {
    final SparseConvolutionOperators operators;
    final NeighborMap map;
    final Tensor x;
    final Tensor weight;
    final Tensor y;
    final Tensor dz;
    final Tensor dx;

    Convolution(TensorScope scope, ConvolutionKernel kernel, int fanIn, int fanOut) {
      operators = scope.device().operators().convolution();
      var patterns = scope.device().operators().pattern();
      Sites inputs = Sites.of(scope, band());
      Sites outputs =
          kernel.isSubmanifold() ? inputs : patterns.downsample(inputs, kernel.stride(), scope);
      map = patterns.neighbors(inputs, outputs, kernel, scope);
      x = random(scope.activation("x", inputs.count(), fanIn), 1);
      weight = random(scope.real("weight", MemoryTag.WEIGHTS, kernel.offsets(), fanIn, fanOut), 2);
      y = scope.activation("y", outputs.count(), fanOut);
      dz = random(scope.activation("dz", outputs.count(), fanOut), 3);
      dx = scope.activation("dx", inputs.count(), fanIn);
    }

    private static Sites.Pattern band() {
      long[] pointers = new long[ROWS + 1];
      List<Integer> columns = new ArrayList<>();
      for (int row = 0; row < ROWS; row++) {
        for (int c = Math.max(0, row - 2); c < Math.min(ROWS, row + 3); c++) {
          columns.add(c);
        }
        pointers[row + 1] = columns.size();
      }
      return new Sites.Pattern(
          ROWS, ROWS, pointers, columns.stream().mapToInt(Integer::intValue).toArray());
    }

    private static Tensor random(Tensor tensor, long seed) {
      int count = Math.toIntExact(tensor.elements());
      tensor.setDoubles(new SplittableRandom(seed).doubles(count, -1, 1).toArray());
      return tensor;
    }

    void run() {
      operators.forward(x, weight, map, true, y);
      operators.backward(x, weight, map, dz, dx, null);
    }

    List<double[]> results() {
      run();
      return List.of(y.toDoubles(), dx.toDoubles());
    }
  }

  private static List<ConvolutionKernel> kernels() {
    return List.of(new ConvolutionKernel(3, 1, 1), new ConvolutionKernel(3, 2, 1));
  }

  private static long weightsMade(Device device, Runnable work) {
    device.ledger().restart();
    work.run();
    return device.ledger().events().stream()
        .filter(e -> e.action() == MemoryLedger.Action.ALLOCATE)
        .filter(e -> e.name().endsWith(" weights"))
        .count();
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void areMadeOnce(Precision precision) {
    try (PlanningDevice device = PlanningDevice.cuda(H200, precision, true, CAPACITY);
        TensorScope scope = device.root().child("test")) {
      device.ledger().setRecording(true);
      // In single precision the forward pass reads the weights themselves.
      int forms = precision == Precision.FP32 ? 1 : 2;
      for (ConvolutionKernel kernel : kernels()) {
        Convolution convolution = new Convolution(scope, kernel, 32, 128);
        Tensor weight = convolution.weight;
        assertEquals(forms, weightsMade(device, convolution::run));
        try (TensorScope kept = scope.child("kept")) {
          long before = device.ledger().liveBytes();
          List<HeldWeight> held = new ArrayList<>();
          assertEquals(
              forms,
              weightsMade(
                  device, () -> held.add(convolution.operators.hold(weight, kernel, true, kept))));
          assertEquals(0, weightsMade(device, convolution::run));
          assertThrows(
              IllegalStateException.class,
              () -> convolution.operators.hold(weight, kernel, true, kept));
          assertEquals(0, weightsMade(device, convolution::run), "what was held is held still");
          held.get(0).close();
          assertEquals(forms, weightsMade(device, convolution::run));
          assertEquals(precision == Precision.BF16, convolution.x.dtype() == DType.BF16);
          assertEquals(before + kept.liveBytes(), device.ledger().liveBytes());
        }
      }
    }
  }

  @Tag("gpu")
  @ParameterizedTest
  @EnumSource(Precision.class)
  void giveTheSameBits(Precision precision) {
    GpuTests.require();
    CudaDevice.Options options =
        CudaDevice.Options.of(0).withCapacity(CAPACITY).withPrecision(precision).withGuards();
    try (CudaDevice device = CudaDevice.open(options);
        TensorScope scope = device.root().child("test")) {
      for (ConvolutionKernel kernel : kernels()) {
        for (int[] channels : new int[][] {{32, 128}, {128, 32}, {7, 5}}) {
          Convolution convolution = new Convolution(scope, kernel, channels[0], channels[1]);
          List<double[]> expected = convolution.results();
          try (TensorScope kept = scope.child("kept");
              HeldWeight held =
                  convolution.operators.hold(convolution.weight, kernel, true, kept)) {
            List<double[]> actual = convolution.results();
            for (int i = 0; i < expected.size(); i++) {
              assertArrayEquals(expected.get(i), actual.get(i), kernel + " result " + i);
            }
          }
        }
      }
    }
  }
}
