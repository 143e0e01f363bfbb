package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.OptimizerOperators;
import autosparse.engine.operators.OptimizerOperators.AdamStep;
import java.util.ArrayList;
import java.util.List;

/** Updates over three parameters, one of them empty; the free size is the first one's. */
final class OptimizerCases {
  private OptimizerCases() {}

  static List<OpCase> all() {
    return List.of(
        globalNorm(),
        adam("adam first step", new AdamStep(1, 1e-2, 0.9, 0.999, 1e-8, 0, false, 0)),
        adam("adam clipped", new AdamStep(7, 1e-2, 0.9, 0.999, 1e-8, 1e-2, false, 0.5)),
        adam("adam decoupled", new AdamStep(100, 1e-2, 0.9, 0.99, 1e-6, 0.1, true, 1e9)),
        adamAveraged("adamAveraged", new AdamStep(7, 1e-2, 0.9, 0.999, 1e-8, 1e-2, true, 0.5)),
        average("average", 0.03),
        average("average first step", 1));
  }

  private static List<Tensor> parameters(
      Values values, String name, double low, double high, long size) {
    return List.of(
        values.between(name + " 0", low, high, size),
        values.between(name + " 1", low, high, 0),
        values.between(name + " 2", low, high, 7, 11));
  }

  private static OpCase globalNorm() {
    return new OpCase(
        "globalNorm",
        "optimizer",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 33L, 1025L, 50000L),
        1 << 22,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          List<Tensor> gradients = parameters(values, "gradient", -1, 1, size);
          Tensor norm = values.output("norm", 1);
          OptimizerOperators operators = scope.device().operators().optimizer();
          return Invocation.of(
              gradients,
              List.of(norm),
              () -> operators.globalNorm(gradients, norm),
              null,
              2.0 * size);
        });
  }

  private static OpCase average(String name, double share) {
    return new OpCase(
        name,
        "optimizer",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 33L, 1025L, 50000L),
        1 << 22,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          List<Tensor> weights = parameters(values, "weight", -1, 1, size);
          List<Tensor> averages = parameters(values, "average", -1, 1, size);
          OptimizerOperators operators = scope.device().operators().optimizer();
          return Invocation.of(
              weights,
              averages,
              () -> operators.average(share, weights, averages),
              null,
              3.0 * size);
        });
  }

  private static OpCase adam(String name, AdamStep settings) {
    return adam(name, settings, 0);
  }

  private static OpCase adamAveraged(String name, AdamStep settings) {
    return adam(name, settings, 0.03);
  }

  /** Adam, the new weights taken into an average where the share is not 0. */
  private static OpCase adam(String name, AdamStep settings, double share) {
    return new OpCase(
        name,
        "optimizer",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 33L, 1025L, 50000L),
        1 << 22,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          List<Tensor> weights = parameters(values, "weight", -1, 1, size);
          List<Tensor> gradients = parameters(values, "gradient", -1, 1, size);
          List<Tensor> first = parameters(values, "first moment", -0.1, 0.1, size);
          List<Tensor> second = parameters(values, "second moment", 0.01, 0.1, size);
          Tensor norm = values.reals("norm", new double[] {3.5});
          List<Tensor> averages =
              share == 0 ? List.of() : parameters(values, "average", -1, 1, size);
          OptimizerOperators operators = scope.device().operators().optimizer();
          List<Tensor> outputs = new ArrayList<>(weights);
          outputs.addAll(first);
          outputs.addAll(second);
          outputs.addAll(gradients);
          outputs.addAll(averages);
          return Invocation.of(
              List.of(norm),
              outputs,
              () -> {
                if (share == 0) {
                  operators.adam(settings, weights, gradients, first, second, norm);
                } else {
                  operators.adamAveraged(
                      settings, weights, gradients, first, second, norm, share, averages);
                }
              },
              null,
              (share == 0 ? 15.0 : 18.0) * size);
        });
  }
}
