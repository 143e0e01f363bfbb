package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adam against its formulas, and saved and resumed. */
final class AdamTest {
  private static final int STEPS = 50;
  private static final int[] SIZES = {12, 5};

  private static void createWeights(Fixture f) {
    f.parameters.in("a").create("weight", Initializer.normal(1), 3, 4);
    f.parameters.in("b").create("weight", Initializer.normal(1), 5);
  }

  /** Gradients of a step: a function of the step alone, so that a resumed run sees the same. */
  private static double[] gradient(int step, int parameter) {
    RandomStream random = RandomStream.named(step, "gradient " + parameter);
    double[] values = new double[SIZES[parameter]];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.3 * random.nextGaussian() + 0.1;
    }
    return values;
  }

  private static double rateFactor(int step) {
    return RateSchedule.COSINE.factor((step - 1.0) / STEPS);
  }

  private static void steps(Fixture f, Adam adam, int from, int to) {
    for (int step = from; step <= to; step++) {
      for (int p = 0; p < SIZES.length; p++) {
        f.parameters.gradients().get(p).setDoubles(gradient(step, p));
      }
      adam.step(rateFactor(step));
    }
  }

  /** The formulas of the papers on plain arrays. */
  private static double[][] oracle(double[][] weights, Adam.Settings s) {
    double[][] m = {new double[SIZES[0]], new double[SIZES[1]]};
    double[][] v = {new double[SIZES[0]], new double[SIZES[1]]};
    for (int step = 1; step <= STEPS; step++) {
      double norm = gradientNorm(step);
      double clip = s.clipNorm() > 0 && norm > s.clipNorm() ? s.clipNorm() / norm : 1;
      double rate = s.rate() * rateFactor(step);
      for (int p = 0; p < SIZES.length; p++) {
        double[] g = gradient(step, p);
        for (int i = 0; i < g.length; i++) {
          double w = weights[p][i];
          double gradient = clip * g[i] + (s.decoupled() ? 0 : s.weightDecay() * w);
          m[p][i] = 0.9 * m[p][i] + 0.1 * gradient;
          v[p][i] = 0.999 * v[p][i] + 0.001 * gradient * gradient;
          double mHat = m[p][i] / (1 - Math.pow(0.9, step));
          double vHat = v[p][i] / (1 - Math.pow(0.999, step));
          double decayed = s.decoupled() ? w - rate * s.weightDecay() * w : w;
          weights[p][i] = decayed - rate * mHat / (Math.sqrt(vHat) + 1e-8);
        }
      }
    }
    return weights;
  }

  private static double gradientNorm(int step) {
    double squares = 0;
    for (int p = 0; p < SIZES.length; p++) {
      for (double g : gradient(step, p)) {
        squares += g * g;
      }
    }
    return Math.sqrt(squares);
  }

  @ParameterizedTest(name = "decay {0}, decoupled {1}, clip {2}")
  @CsvSource({
    "0, false, 0",
    "0.01, false, 0",
    "0.05, true, 0",
    "0, false, 0.5",
    "0.02, true, 1.2",
    "0.02, false, 1.2"
  })
  void followsTheFormulas(double decay, boolean decoupled, double clip) {
    Adam.Settings settings = Adam.Settings.of(0.01, decay, decoupled, clip);
    check(Fixture.reference(1), settings, 1e-12);
    check(Fixture.cpu(1), settings, 2e-6);
  }

  private static void check(Fixture fixture, Adam.Settings settings, double tolerance) {
    try (Fixture f = fixture) {
      createWeights(f);
      double[][] expected =
          oracle(
              f.parameters.values().stream().map(Tensor::toDoubles).toArray(double[][]::new),
              settings);
      try (Adam adam = new Adam(f.scope, f.parameters, settings)) {
        steps(f, adam, 1, STEPS);
        assertEquals(STEPS, adam.steps());
        assertEquals(gradientNorm(STEPS), adam.gradientNorm(), 1e-6);
        for (int p = 0; p < SIZES.length; p++) {
          assertArrayEquals(
              expected[p], f.parameters.values().get(p).toDoubles(), tolerance, f.device.name());
          assertArrayEquals(new double[SIZES[p]], f.parameters.gradients().get(p).toDoubles());
        }
      }
    }
  }

  @Test
  void resumesBitForBit() {
    resume(Fixture.reference(1), Fixture.reference(2));
    resume(Fixture.cpu(1), Fixture.cpu(2));
  }

  private static void resume(Fixture uninterrupted, Fixture fresh) {
    Adam.Settings settings = Adam.Settings.of(0.01, 0.02, true, 1);
    try (Fixture f = uninterrupted;
        Fixture g = fresh) {
      createWeights(f);
      createWeights(g);
      try (Adam adam = new Adam(f.scope, f.parameters, settings);
          Adam resumed = new Adam(g.scope, g.parameters, settings)) {
        steps(f, adam, 1, STEPS / 2);
        StateDict saved = f.parameters.stateDict().with("optimizer.", adam.stateDict());
        StateDict loaded = g.parameters.stateDict().with("optimizer.", resumed.stateDict());
        Map<String, long[]> shapes = new LinkedHashMap<>();
        saved.tensors().forEach((name, tensor) -> shapes.put(name, tensor.shape().toArray()));
        assertEquals(List.of(), loaded.mismatches(shapes));
        saved.tensors().forEach((n, t) -> loaded.tensors().get(n).setDoubles(t.toDoubles()));
        resumed.setSteps(adam.steps());
        steps(f, adam, STEPS / 2 + 1, STEPS);
        steps(g, resumed, STEPS / 2 + 1, STEPS);
        saved
            .tensors()
            .forEach(
                (name, tensor) ->
                    assertArrayEquals(
                        tensor.toDoubles(), loaded.tensors().get(name).toDoubles(), name));
      }
    }
  }

  @Test
  void clippingIgnoresAZeroGradient() {
    try (Fixture f = Fixture.cpu(1)) {
      createWeights(f);
      double[] before = f.parameters.values().get(0).toDoubles();
      try (Adam adam = new Adam(f.scope, f.parameters, Adam.Settings.of(0.1, 0, false, 1))) {
        adam.step(1);
        assertArrayEquals(before, f.parameters.values().get(0).toDoubles());
      }
    }
  }

  @Test
  void theRateIsPositive() {
    var error =
        assertThrows(IllegalArgumentException.class, () -> Adam.Settings.of(0, 0, false, 0));
    assertEquals("learning rate 0.0: expected > 0", error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Adam.Settings.of(Double.NaN, 0, true, 0));
  }
}
