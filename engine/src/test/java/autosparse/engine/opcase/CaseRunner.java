package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import autosparse.engine.BFloat16;
import autosparse.engine.DType;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Draw.Rounding;
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
    return results(device, operator, size, Rounding.NONE).values();
  }

  /** What a case wrote, and in which types. */
  record Results(List<double[]> values, List<DType> types) {}

  /** As {@link #outputs}, from values that are rounded first. */
  static Results results(Device device, OpCase operator, long size, Rounding rounding) {
    try (TensorScope scope = device.root().child("case")) {
      Invocation invocation = operator.prepare(scope, size, new Draw(SEED, rounding));
      invocation.run().run();
      return new Results(
          invocation.outputs().stream().map(CaseRunner::values).toList(),
          invocation.outputs().stream().map(Tensor::dtype).toList());
    }
  }

  /**
   * Requires that a device's results in a precision are as near to the reference's as {@link
   * OpCase#allowed} says, of which two runs are made: one from what the device's tensors hold, and
   * a naive one from rounded factors, whose results are rounded to the device's types.
   */
  static void compare(
      HostDevice reference, OpCase operator, long size, Precision precision, Results actual) {
    boolean narrow = precision == Precision.BF16;
    List<double[]> expected =
        results(reference, operator, size, narrow ? Rounding.BF16 : Rounding.NONE).values();
    List<double[]> naive =
        switch (precision) {
          case FP32 -> expected;
          case TF32 -> results(reference, operator, size, Rounding.TF32_FACTORS).values();
          case BF16 -> results(reference, operator, size, Rounding.BF16_FACTORS).values();
        };
    for (int o = 0; o < expected.size(); o++) {
      boolean rounded = actual.types().get(o) == DType.BF16;
      double naiveError = 0;
      for (int i = 0; i < expected.get(o).length; i++) {
        double value = naive.get(o)[i];
        value = rounded ? BFloat16.round((float) value) : value;
        naiveError = Math.max(naiveError, Math.abs(value - expected.get(o)[i]));
      }
      double allowed = operator.allowed(largest(expected.get(o)), naiveError);
      compare("output " + o, allowed, expected.get(o), actual.values().get(o));
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
      double allowed = tolerance.absolute() + tolerance.relative() * largest(expected.get(o));
      compare("output " + o, allowed, expected.get(o), actual.get(o));
    }
  }

  private static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static void compare(String output, double allowed, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length, output);
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
