package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradient checks of every dense function on small random shapes, empty ones included. */
final class DenseFunctionsTest {
  @ParameterizedTest
  @EnumSource(Activation.class)
  void linear(Activation activation) {
    for (long seed = 1; seed <= 4; seed++) {
      try (Fixture f = Fixture.reference(seed)) {
        int rows = f.size(0, 5);
        int in = f.size(1, 6);
        int out = f.size(1, 6);
        Tensor x = f.normal(rows, in);
        Tensor weight = f.normal(out, in);
        f.checkGradient(
            (tape, v) ->
                List.of(DenseFunctions.linear(tape, v.get(0), v.get(1), v.get(2), activation)),
            x,
            weight,
            f.normal(out));
        f.checkGradient(
            (tape, v) -> List.of(DenseFunctions.linear(tape, v.get(0), v.get(1), null, activation)),
            x,
            weight);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activation(Activation activation) {
    try (Fixture f = Fixture.reference(5)) {
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.activation(tape, activation, v.get(0))),
          f.normal(4, 7));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void add(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int rows = f.size(0, 5);
      int columns = f.size(1, 6);
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.add(tape, v.get(0), v.get(1))),
          f.normal(rows, columns),
          f.normal(rows, columns));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void dropout(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.dropout(tape, v.get(0), 0.6, "d")),
          f.normal(f.size(1, 9), f.size(1, 9)));
    }
  }

  @Test
  void dropoutDoesNothingInInferenceOrWhenItKeepsAll() {
    try (Fixture f = Fixture.reference(1);
        Tape inference = Tape.inference(f.scope);
        Tape training = Tape.recording(f.scope, 1)) {
      Variable x = Variable.constant(f.normal(3, 4));
      assertSame(x, DenseFunctions.dropout(inference, x, 0.5, "d"));
      assertSame(x, DenseFunctions.dropout(training, x, 1, "d"));
    }
  }

  @Test
  void dropoutDrawsByStreamAndSeed() {
    try (Fixture f = Fixture.reference(1)) {
      Variable x = Variable.constant(f.normal(40, 10));
      double[] first = dropped(f, x, 7, "a");
      assertArrayEquals(first, dropped(f, x, 7, "a"));
      assertEquals(false, java.util.Arrays.equals(first, dropped(f, x, 7, "b")));
      assertEquals(false, java.util.Arrays.equals(first, dropped(f, x, 8, "a")));
    }
  }

  private static double[] dropped(Fixture f, Variable x, long seed, String stream) {
    try (Tape tape = Tape.recording(f.scope, seed)) {
      return DenseFunctions.dropout(tape, x, 0.5, stream).value().toDoubles();
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void layerNorm(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int rows = f.size(0, 5);
      int columns = f.size(2, 7);
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.layerNorm(tape, v.get(0), v.get(1), v.get(2), 1e-5)),
          f.normal(rows, columns),
          f.normal(columns),
          f.normal(columns));
    }
  }

  @Test
  void layerNormWithSomeOfItsInputsFrozen() {
    try (Fixture f = Fixture.reference(9)) {
      Tensor x = f.normal(3, 4);
      Tensor gamma = f.normal(4);
      Tensor beta = f.normal(4);
      f.checkGradient(
          (tape, v) ->
              List.of(
                  DenseFunctions.layerNorm(
                      tape, v.get(0), Variable.constant(gamma), Variable.constant(beta), 1e-5)),
          x);
      f.checkGradient(
          (tape, v) ->
              List.of(
                  DenseFunctions.layerNorm(
                      tape, Variable.constant(x), Variable.constant(gamma), v.get(0), 1e-5)),
          beta);
      f.checkGradient(
          (tape, v) ->
              List.of(
                  DenseFunctions.layerNorm(
                      tape, Variable.constant(x), v.get(0), Variable.constant(beta), 1e-5)),
          gamma);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void attention(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int heads = f.size(1, 3);
      int width = heads * f.size(1, 4);
      long first = f.size(0, 4);
      long second = first + f.size(0, 4);
      long tokens = second + f.size(0, 4);
      Tensor offsets = f.offsets(0, first, second, tokens);
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.attention(tape, v.get(0), offsets, heads)),
          f.normal(tokens, 3L * width));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void gather(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int entries = f.size(1, 5);
      int[] index = new int[f.size(0, 9)];
      for (int n = 0; n < index.length; n++) {
        index[n] = f.random.nextInt(entries);
      }
      Tensor indices = f.scope.ints("index", MemoryTag.INPUT, index);
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.gather(tape, v.get(0), indices)),
          f.normal(entries, f.size(1, 4)));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void segmentSum(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      long first = f.size(0, 3);
      long rows = first + f.size(0, 3);
      Tensor offsets = f.offsets(0, first, first, rows);
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.segmentSum(tape, v.get(0), offsets)),
          f.normal(rows, f.size(1, 4)));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void concatenations(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int rows = f.size(0, 4);
      int columns = f.size(1, 4);
      List<Tensor> wide = new ArrayList<>();
      List<Tensor> tall = new ArrayList<>();
      for (int part = 0; part < 3; part++) {
        wide.add(f.normal(rows, f.size(0, 4)));
        tall.add(f.normal(f.size(0, 4), columns));
      }
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.concatColumns(tape, v)), wide.toArray(new Tensor[0]));
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.concatRows(tape, v)), tall.toArray(new Tensor[0]));
    }
  }

  @Test
  void concatenationsKeepTheirOrder() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.inference(f.scope)) {
      Variable a =
          Variable.constant(f.scope.reals("a", MemoryTag.INPUT, new double[] {1, 2, 3, 4}, 2, 2));
      Variable b =
          Variable.constant(f.scope.reals("b", MemoryTag.INPUT, new double[] {5, 6}, 2, 1));
      Variable c =
          Variable.constant(f.scope.reals("c", MemoryTag.INPUT, new double[] {7, 8}, 1, 2));
      assertArrayEquals(
          new double[] {1, 2, 5, 3, 4, 6},
          DenseFunctions.concatColumns(tape, List.of(a, b)).value().toDoubles());
      assertArrayEquals(
          new double[] {1, 2, 3, 4, 7, 8},
          DenseFunctions.concatRows(tape, List.of(a, c)).value().toDoubles());
    }
  }

  @Test
  void reshape() {
    try (Fixture f = Fixture.reference(3)) {
      f.checkGradient(
          (tape, v) -> List.of(DenseFunctions.reshape(tape, v.get(0), 3, 4)), f.normal(2, 6));
    }
  }
}
