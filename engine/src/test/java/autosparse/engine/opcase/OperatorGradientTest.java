package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every gradient against central differences of the operator itself, in double. */
class OperatorGradientTest {
  private static final double STEP = 1e-5;
  private static final double TOLERANCE = 1e-6;
  private static final long LARGEST = 64;
  private static final int PROBES = 24;

  private static HostDevice device;

  @BeforeAll
  static void open() {
    device = CaseRunner.reference();
  }

  @AfterAll
  static void close() {
    device.close();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("autosparse.engine.opcase.CaseRunner#differentiableCases")
  void agreesWithCentralDifferences(OpCase operator) {
    List<Long> sizes = operator.testSizes().stream().filter(size -> size <= LARGEST).toList();
    for (long size : sizes) {
      try (TensorScope scope = device.root().child("gradient")) {
        Invocation invocation = operator.prepare(scope, size, CaseRunner.SEED);
        check(new Probe(invocation, scope), invocation, scope, size);
      }
    }
  }

  /** The scalar Σ weight·output as a function of the inputs. */
  private static final class Probe {
    private final Invocation invocation;
    private final List<double[]> initial = new ArrayList<>();
    private final List<double[]> weights = new ArrayList<>();
    final List<Tensor> dOutputs = new ArrayList<>();

    Probe(Invocation invocation, TensorScope scope) {
      this.invocation = invocation;
      Values values = new Values(scope, Draw.of(99));
      for (Tensor output : invocation.outputs()) {
        boolean counts =
            output.dtype().isReal()
                && dOutputs.size() < invocation.gradient().differentiableOutputs();
        initial.add(output.dtype().isReal() ? output.toDoubles() : null);
        weights.add(counts ? values.uniform(output.elements(), 0.5, 1.5) : null);
        Tensor dOutput = null;
        if (counts) {
          dOutput = scope.real("dOutput", MemoryTag.WORKSPACE, output.shape().toArray());
          dOutput.setDoubles(weights.get(weights.size() - 1));
        }
        dOutputs.add(dOutput);
      }
    }

    /** Undoes earlier runs: accumulated outputs, and outputs that are inputs. */
    void restore() {
      for (int o = 0; o < initial.size(); o++) {
        if (initial.get(o) != null) {
          invocation.outputs().get(o).setDoubles(initial.get(o));
        }
      }
    }

    double value(Tensor input, double[] values) {
      restore();
      input.setDoubles(values);
      invocation.run().run();
      double sum = 0;
      for (int o = 0; o < weights.size(); o++) {
        if (weights.get(o) != null) {
          double[] output = invocation.outputs().get(o).toDoubles();
          for (int i = 0; i < output.length; i++) {
            sum += weights.get(o)[i] * output[i];
          }
        }
      }
      return sum;
    }
  }

  private static void check(Probe probe, Invocation invocation, TensorScope scope, long size) {
    List<double[]> inputs = new ArrayList<>();
    for (Tensor input : invocation.inputs()) {
      inputs.add(input.dtype().isReal() ? input.toDoubles() : null);
    }
    invocation.run().run();
    List<double[]> analytic = new ArrayList<>();
    for (Tensor gradient : invocation.gradient().run(scope, probe.dOutputs)) {
      analytic.add(gradient == null ? null : gradient.toDoubles());
    }
    assertEquals(inputs.size(), analytic.size(), "gradients, one an input (null where none)");
    for (int n = 0; n < inputs.size(); n++) {
      if (analytic.get(n) == null) {
        continue;
      }
      Tensor input = invocation.inputs().get(n);
      double[] values = inputs.get(n);
      double scale = 1;
      for (double value : analytic.get(n)) {
        scale = Math.max(scale, Math.abs(value));
      }
      for (int i : probes(values.length)) {
        double[] moved = values.clone();
        moved[i] = values[i] + STEP;
        double above = probe.value(input, moved);
        moved[i] = values[i] - STEP;
        double below = probe.value(input, moved);
        double numeric = (above - below) / (2 * STEP);
        if (!(Math.abs(numeric - analytic.get(n)[i]) <= TOLERANCE * scale)) {
          fail(
              String.format(
                  "size %d, %s, element %d: gradient %.9g, central difference %.9g",
                  size, input, i, analytic.get(n)[i], numeric));
        }
      }
      probe.restore();
      input.setDoubles(values);
    }
  }

  /** Some elements, the first and the last among them. */
  private static Set<Integer> probes(int count) {
    Set<Integer> chosen = new TreeSet<>();
    for (int p = 0; p < Math.min(PROBES, count); p++) {
      chosen.add((int) ((long) p * (count - 1) / Math.max(1, Math.min(PROBES, count) - 1)));
    }
    return chosen;
  }
}
