package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.DType;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.opcase.Invocation;
import autosparse.engine.opcase.OpCase;
import autosparse.engine.opcase.SparseCases;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The sparse families' cases: CPU against reference, gradients, threads. */
class SparseCasesTest {
  private static final long SEED = 7;
  private static final HostDevice.Options OPTIONS =
      HostDevice.Options.defaults().withCapacity(1L << 26).withGuards();

  static List<OpCase> cases() {
    return SparseCases.all();
  }

  /** The outputs after one call; the memory around every tensor is checked. */
  private static List<double[]> run(HostDevice device, OpCase opCase, long size) {
    try (TensorScope scope = device.root().child("case")) {
      Invocation invocation = opCase.prepare(scope, size, SEED);
      invocation.run().run();
      return invocation.outputs().stream().map(SparseCasesTest::doubles).toList();
    }
  }

  private static double[] doubles(Tensor tensor) {
    if (tensor.dtype().isReal()) {
      return tensor.toDoubles();
    }
    return tensor.dtype() == DType.I32
        ? java.util.Arrays.stream(tensor.toInts()).asDoubleStream().toArray()
        : java.util.Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void cpuAgreesWithTheReference(OpCase opCase) {
    try (HostDevice reference = HostDevice.reference(OPTIONS);
        HostDevice cpu = HostDevice.cpu(OPTIONS.withThreads(2))) {
      for (long size : opCase.testSizes()) {
        List<double[]> expected = run(reference, opCase, size);
        List<double[]> actual = run(cpu, opCase, size);
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
          double scale = 0;
          for (double value : expected.get(i)) {
            scale = Math.max(scale, Math.abs(value));
          }
          double allowed = opCase.tolerance().absolute() + opCase.tolerance().relative() * scale;
          assertArrayEquals(
              expected.get(i), actual.get(i), Math.max(allowed, 1e-300), opCase + " " + size);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void resultsDoNotDependOnTheNumberOfThreads(OpCase opCase) {
    for (long size : new long[] {33, 9001}) {
      List<List<double[]>> results = new ArrayList<>();
      for (int threads : new int[] {1, 2, 3, 3}) {
        try (HostDevice cpu = HostDevice.cpu(OPTIONS.withThreads(threads))) {
          results.add(run(cpu, opCase, size));
        }
      }
      for (List<double[]> other : results) {
        for (int i = 0; i < other.size(); i++) {
          assertArrayEquals(results.get(0).get(i), other.get(i), opCase + " " + size);
        }
      }
    }
  }

  /** Central difference of a random functional of the outputs along a random direction. */
  @ParameterizedTest
  @MethodSource("cases")
  void gradientsMatchDifferenceQuotients(OpCase opCase) {
    try (HostDevice device = HostDevice.reference(OPTIONS);
        TensorScope scope = device.root().child("gradient")) {
      Random random = new Random(SEED);
      for (long size : new long[] {0, 1, 33}) {
        Invocation invocation = opCase.prepare(scope, size, SEED);
        if (invocation.gradient() == null) {
          return;
        }
        Tensor output = invocation.outputs().get(0);
        double[] functional = random.doubles(output.elements(), -1, 1).toArray();
        Tensor dOutput =
            scope.reals("d", MemoryTag.GRADIENTS, functional, output.shape().toArray());
        List<Tensor> gradients = invocation.gradient().run(scope, List.of(dOutput));
        for (int i = 0; i < gradients.size(); i++) {
          Tensor gradient = gradients.get(i);
          if (gradient == null) {
            continue;
          }
          Tensor input = invocation.inputs().get(i);
          double[] at = input.toDoubles();
          double[] direction = random.doubles(at.length, -1, 1).toArray();
          double step = 1e-3;
          double difference =
              (value(invocation, input, at, direction, step, functional)
                      - value(invocation, input, at, direction, -step, functional))
                  / (2 * step);
          double slope = dot(gradient.toDoubles(), direction);
          assertTrue(
              Math.abs(difference - slope) <= 1e-8 * (1 + Math.abs(slope)),
              opCase + " input " + i + ": " + slope + ", difference quotient " + difference);
          input.setDoubles(at);
        }
      }
    }
  }

  private static double value(
      Invocation invocation,
      Tensor input,
      double[] at,
      double[] direction,
      double step,
      double[] functional) {
    double[] moved = at.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    input.setDoubles(moved);
    invocation.run().run();
    return dot(invocation.outputs().get(0).toDoubles(), functional);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
