package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.autograd.Variable;
import autosparse.engine.operators.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Names, starting values and numbers of parameters. */
final class ParametersTest {
  private static double[] create(Fixture f, String name, Initializer initializer, long... sizes) {
    return f.parameters.in("net").create(name, initializer, sizes).value().toDoubles();
  }

  @Test
  void normalHasItsDeviation() {
    try (Fixture f = Fixture.reference(1)) {
      assertMoments(create(f, "w", Initializer.normal(0.02), 200, 100), 0.02);
    }
  }

  @Test
  void parametersThatAreOnlyRunHaveNoGradients() {
    try (Fixture f = Fixture.reference(1);
        Parameters run = Parameters.withoutGradients(f.scope, 1)) {
      long before = f.scope.device().ledger().liveBytes();
      Variable weight = run.in("net").create("w", Initializer.normal(0.02), 64, 32);
      assertEquals(
          64L * 32 * weight.value().dtype().bytes(),
          f.scope.device().ledger().liveBytes() - before);
      assertFalse(weight.isDifferentiable());
      assertArrayEquals(
          create(f, "w", Initializer.normal(0.02), 64, 32), weight.value().toDoubles());
      assertEquals(
          "parameters that were made without gradients",
          assertThrows(IllegalStateException.class, run::gradients).getMessage());
    }
  }

  @Test
  void kaimingCountsKernelOffsetsAndOutputs() {
    try (Fixture f = Fixture.reference(1)) {
      double[] values = create(f, "w", Initializer.kaimingFanOut(), 9, 40, 64);
      assertMoments(values, Math.sqrt(2.0 / (9 * 64)));
    }
  }

  @Test
  void uniformStaysInsideOneOverRootIn() {
    try (Fixture f = Fixture.reference(1)) {
      double[] values = create(f, "w", Initializer.uniformFanIn(), 300, 64);
      double bound = 1.0 / 8;
      assertMoments(values, bound / Math.sqrt(3));
      double largest = Arrays.stream(values).map(Math::abs).max().orElseThrow();
      assertEquals(bound, largest, 1e-3 * bound);
      assertEquals(true, largest <= bound);
    }
  }

  /** Mean 0 and the deviation, each within four standard errors. */
  private static void assertMoments(double[] values, double deviation) {
    int n = values.length;
    double mean = Arrays.stream(values).average().orElseThrow();
    double square = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
    assertEquals(0, mean, 4 * deviation / Math.sqrt(n));
    assertEquals(deviation, Math.sqrt(square), 4 * deviation / Math.sqrt(2.0 * n));
  }

  @Test
  void valuesDependOnSeedAndNameAlone() {
    Initializer normal = Initializer.normal(1);
    try (Fixture f = Fixture.reference(1);
        Fixture g = Fixture.reference(1);
        Fixture other = Fixture.reference(2)) {
      double[] a = create(f, "a", normal, 3, 4);
      double[] b = create(f, "b", normal, 5);
      create(g, "c", normal, 7);
      assertArrayEquals(b, create(g, "b", normal, 5));
      assertArrayEquals(a, create(g, "a", normal, 3, 4));
      assertNotEquals(a[0], b[0]);
      assertNotEquals(a[0], create(other, "a", normal, 3, 4)[0]);
    }
  }

  /** Bits, not values: a run on another JDK or machine has to start from the same ones. */
  @Test
  void valuesAreTheSameBitsOnEveryJvm() {
    try (Fixture f = Fixture.reference(1);
        Fixture cpu = Fixture.cpu(1)) {
      List<String> all = new ArrayList<>();
      all.addAll(bits(create(f, "normal", Initializer.normal(0.02), 3)));
      all.addAll(bits(create(f, "kaiming", Initializer.kaimingFanOut(), 1, 1, 2)));
      all.addAll(bits(create(f, "uniform", Initializer.uniformFanIn(), 1, 3)));
      create(cpu, "normal", Initializer.normal(0.02), 1);
      float[] narrow = cpu.parameters.byName().get("net.normal").value().toFloats();
      all.add(Integer.toHexString(Float.floatToRawIntBits(narrow[0])));
      assertEquals(
          List.of(
              "3f4b882b9dbb3a56",
              "bfa008f93df79b6b",
              "bfa297e015128843",
              "bfe6c37c513bd767",
              "bff6ece963b6dfaa",
              "bfb83d645435fe05",
              "3fd0059595efd143",
              "3fcbdbfccac80271",
              "3a5c415d"),
          all);
    }
  }

  private static List<String> bits(double[] values) {
    return Arrays.stream(values)
        .mapToObj(v -> Long.toHexString(Double.doubleToRawLongBits(v)))
        .toList();
  }

  @Test
  void aNameIsTakenOnce() {
    try (Fixture f = Fixture.reference(1)) {
      create(f, "w", Initializer.constant(1), 2);
      var error =
          assertThrows(
              IllegalStateException.class, () -> create(f, "w", Initializer.constant(1), 2));
      assertEquals("parameter net.w exists already", error.getMessage());
    }
  }

  @Test
  void countsArePublishedOnes() {
    try (Fixture f = Fixture.cpu(1)) {
      Initializer normal = Initializer.normal(0.02);
      new MultiHeadAttention(f.parameters.in("attention"), 256, 8, normal);
      assertEquals(263_168, f.parameters.count());
      for (String block : List.of("mlp.1", "mlp.2")) {
        var form = ResidualMlp.Form.PUBLISHED;
        new ResidualMlp(f.parameters.in(block), block, 256, 1024, form, normal);
      }
      assertEquals(263_168 + 1_051_136, f.parameters.count());
      new Linear(f.parameters.in("decoder").in("1"), 256, 128, Activation.RELU, normal);
      new Linear(f.parameters.in("decoder").in("2"), 128, 64, Activation.RELU, normal);
      new Linear(f.parameters.in("decoder").in("3"), 64, 1, Activation.IDENTITY, normal);
      assertEquals(263_168 + 1_051_136 + 41_217, f.parameters.count());
      assertEquals(
          List.of("attention.input.weight", "attention.input.bias"),
          List.copyOf(f.parameters.byName().keySet()).subList(0, 2));
    }
  }

  @Test
  void zeroGradientsClearsAll() {
    try (Fixture f = Fixture.cpu(1)) {
      create(f, "w", Initializer.constant(1), 3);
      f.parameters.gradients().get(0).setDoubles(new double[] {1, 2, 3});
      f.parameters.zeroGradients();
      assertArrayEquals(new double[3], f.parameters.gradients().get(0).toDoubles());
    }
  }
}
