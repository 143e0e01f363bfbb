package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The running average of weights against its definition, and what it leaves of the weights. */
final class WeightAverageTest {
  private static final int STEPS = 60;
  private static final int[] SIZES = {12, 5};

  private static void createWeights(Fixture f) {
    f.parameters.in("a").create("weight", Initializer.normal(1), 3, 4);
    f.parameters.in("b").create("weight", Initializer.normal(1), 5);
  }

  /** Weights after a step: a function of the step alone. */
  private static double[] weights(int step, int parameter) {
    RandomStream random = RandomStream.named(step, "weights " + parameter);
    double[] values = new double[SIZES[parameter]];
    for (int i = 0; i < values.length; i++) {
      values[i] = 1 + 0.3 * random.nextGaussian();
    }
    return values;
  }

  private static void step(Fixture f, int step) {
    for (int p = 0; p < SIZES.length; p++) {
      f.parameters.values().get(p).setDoubles(weights(step, p));
    }
  }

  private static void takeIn(Fixture f, WeightAverage average, int step) {
    f.device
        .operators()
        .optimizer()
        .average(average.share(step), f.parameters.values(), average.tensors());
  }

  /** The definition: every step's weights, each by its own share. */
  private static double[] defined(int steps, int parameter, double horizon) {
    double[] sum = new double[SIZES[parameter]];
    double shares = 0;
    for (int step = 1; step <= steps; step++) {
      double share = Math.exp((step - steps) / horizon);
      double[] w = weights(step, parameter);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += share * w[i];
      }
      shares += share;
    }
    for (int i = 0; i < sum.length; i++) {
      sum[i] /= shares;
    }
    return sum;
  }

  private static List<Tensor> tensors(WeightAverage average) {
    return List.copyOf(average.stateDict().tensors().values());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 1, 7.5, 1e6})
  void isWhatItsDefinitionSaysAfterAnyStep(double horizon) {
    check(Fixture.reference(1), horizon, 1e-12);
    check(Fixture.cpu(1), horizon, 2e-6);
  }

  private static void check(Fixture fixture, double horizon, double tolerance) {
    try (Fixture f = fixture) {
      createWeights(f);
      try (WeightAverage average = new WeightAverage(f.scope, f.parameters, horizon)) {
        for (int p = 0; p < SIZES.length; p++) {
          assertArrayEquals(
              f.parameters.values().get(p).toDoubles(),
              tensors(average).get(p).toDoubles(),
              "before the first step");
        }
        for (int step = 1; step <= STEPS; step++) {
          step(f, step);
          takeIn(f, average, step);
          for (int p = 0; p < SIZES.length; p++) {
            String what = f.device.name() + ", step " + step + ", parameter " + p;
            assertArrayEquals(
                defined(step, p, horizon), tensors(average).get(p).toDoubles(), tolerance, what);
            assertArrayEquals(
                new double[SIZES[p]], f.parameters.gradients().get(p).toDoubles(), what);
          }
        }
      }
    }
  }

  private static Map<String, float[]> bits(StateDict state) {
    Map<String, float[]> values = new TreeMap<>();
    state.tensors().forEach((name, tensor) -> values.put(name, tensor.toFloats()));
    return values;
  }

  private static void assertBits(Map<String, float[]> expected, StateDict state) {
    Map<String, float[]> actual = bits(state);
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, values) -> assertArrayEquals(values, actual.get(name), name));
  }

  @Test
  void standsInForTheWeightsWithoutMemoryAndLeavesThemAsTheyWere() {
    try (Fixture f = Fixture.cpu(1)) {
      createWeights(f);
      try (WeightAverage average = new WeightAverage(f.scope, f.parameters, 3)) {
        assertEquals(
            f.device.ledger().liveBytes(MemoryTag.WEIGHTS),
            f.device.ledger().liveBytes(MemoryTag.OPTIMIZER),
            "as much as the weights");
        for (int step = 1; step <= 4; step++) {
          step(f, step);
          takeIn(f, average, step);
        }
        Map<String, float[]> weights = bits(f.parameters.stateDict());
        Map<String, float[]> averages = bits(average.stateDict());
        long live = f.device.ledger().liveBytes();
        long peak = f.device.ledger().peakBytes();
        String returned =
            average.inPlaceOfWeights(
                () -> {
                  assertBits(averages, f.parameters.stateDict());
                  return "judged";
                });
        assertEquals("judged", returned);
        assertLeft(f, weights);
        RuntimeException failure = new IllegalStateException("judging failed");
        assertSame(
            failure,
            assertThrows(
                IllegalStateException.class,
                () ->
                    average.inPlaceOfWeights(
                        () -> {
                          throw failure;
                        })));
        assertLeft(f, weights);
        assertBits(averages, average.stateDict());
        assertEquals(live, f.device.ledger().liveBytes());
        assertEquals(peak, f.device.ledger().peakBytes());
      }
    }
  }

  private static void assertLeft(Fixture f, Map<String, float[]> weights) {
    assertBits(weights, f.parameters.stateDict());
    f.parameters
        .gradients()
        .forEach(g -> assertArrayEquals(new double[(int) g.elements()], g.toDoubles()));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN})
  void theHorizonIsPositive(double horizon) {
    try (Fixture f = Fixture.cpu(1)) {
      createWeights(f);
      var error =
          assertThrows(
              IllegalArgumentException.class,
              () -> new WeightAverage(f.scope, f.parameters, horizon));
      assertEquals("horizon of " + horizon + " steps: expected > 0", error.getMessage());
    }
  }
}
