package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** What the operator tests share: devices, and running a case once. */
final class CaseRunner {
  static final long SEED = 20240501;
  private static final long CAPACITY = 1L << 30;

  private CaseRunner() {}

  static HostDevice cpu(int threads) {
    return HostDevice.cpu(new HostDevice.Options(CAPACITY, threads, false));
  }

  static HostDevice reference() {
    return HostDevice.reference(new HostDevice.Options(CAPACITY, 1, false));
  }

  static HostDevice guarded(boolean reference) {
    HostDevice.Options options = new HostDevice.Options(CAPACITY, 2, true);
    return reference ? HostDevice.reference(options) : HostDevice.cpu(options);
  }

  /** Every case at every size. */
  static Stream<Arguments> casesAndSizes() {
    return OpCases.all().stream()
        .flatMap(
            operator -> operator.testSizes().stream().map(size -> Arguments.of(operator, size)));
  }

  /** The cases that have a gradient. */
  static Stream<OpCase> differentiableCases() {
    try (HostDevice device = reference()) {
      return OpCases.all().stream()
          .filter(operator -> isDifferentiable(device, operator))
          .toList()
          .stream();
    }
  }

  private static boolean isDifferentiable(HostDevice device, OpCase operator) {
    try (TensorScope scope = device.root().child("case")) {
      long size = operator.testSizes().stream().filter(s -> s > 0).findFirst().orElse(1L);
      return operator.prepare(scope, size, SEED).gradient() != null;
    }
  }

  /** Prepares a case, runs it and returns its outputs; indices and offsets are cast to double. */
  static List<double[]> outputs(Device device, OpCase operator, long size) {
    try (TensorScope scope = device.root().child("case")) {
      Invocation invocation = operator.prepare(scope, size, SEED);
      invocation.run().run();
      return invocation.outputs().stream().map(CaseRunner::values).toList();
    }
  }

  static double[] values(Tensor tensor) {
    return switch (tensor.dtype()) {
      case F32, F64, BF16 -> tensor.toDoubles();
      case I32 -> java.util.Arrays.stream(tensor.toInts()).asDoubleStream().toArray();
      case I64 -> java.util.Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
    };
  }

  /** Requires that every element is within the tolerance of what is expected. */
  static void compare(OpCase.Tolerance tolerance, List<double[]> expected, List<double[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int o = 0; o < expected.size(); o++) {
      compare("output " + o, tolerance, expected.get(o), actual.get(o));
    }
  }

  private static void compare(
      String output, OpCase.Tolerance tolerance, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length, output);
    double scale = 0;
    for (double value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    double allowed = tolerance.absolute() + tolerance.relative() * scale;
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
        fail(
            String.format(
                "%s, element %d: %.9g, reference %.9g, allowed error %.3g",
                output, i, actual[i], expected[i], allowed));
      }
    }
  }
}
