package autosparse.engine.opcase;

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
  static List<double[]> outputs(HostDevice device, OpCase operator, long size) {
    try (TensorScope scope = device.root().child("case")) {
      Invocation invocation = operator.prepare(scope, size, SEED);
      invocation.run().run();
      return invocation.outputs().stream().map(CaseRunner::values).toList();
    }
  }

  static double[] values(Tensor tensor) {
    return switch (tensor.dtype()) {
      case F32, F64 -> tensor.toDoubles();
      case I32 -> java.util.Arrays.stream(tensor.toInts()).asDoubleStream().toArray();
      case I64 -> java.util.Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
    };
  }
}
