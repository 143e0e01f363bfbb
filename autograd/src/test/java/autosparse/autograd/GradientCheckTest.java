package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The check itself: it has to find wrong gradients, and to leave its inputs as they were. */
final class GradientCheckTest {
  /** x·1.001 whose backward step says x. */
  private static Variable slightlyWrong(Tape tape, Variable x) {
    Variable y = tape.output("wrong", List.of(x), x.value().shape().toArray());
    var elementwise = tape.operators().elementwise();
    elementwise.scale(1.001, x.value(), y.value());
    tape.record(
        "wrong",
        List.of(y),
        List.of(),
        () -> tape.gradient(x, dx -> elementwise.copy(y.gradient(), dx)));
    return y;
  }

  @Test
  void findsAWrongGradient() {
    try (Fixture f = Fixture.reference(1)) {
      double error =
          GradientCheck.worstError(
              f.device,
              List.of(f.normal(3, 3)),
              1,
              (tape, v) -> List.of(slightlyWrong(tape, v.get(0))));
      assertTrue(error > 5e-4 && error < 2e-3, "error " + error);
    }
  }

  @Test
  void findsAMissingGradient() {
    try (Fixture f = Fixture.reference(1)) {
      double error =
          GradientCheck.worstError(
              f.device,
              List.of(f.normal(3, 3)),
              1,
              (tape, v) ->
                  List.of(DenseFunctions.add(tape, v.get(0), Variable.constant(v.get(0).value()))));
      assertTrue(error > 0.5, "error " + error);
    }
  }

  @Test
  void doesNotTakeNotANumberForRight() {
    try (Fixture f = Fixture.reference(1)) {
      Tensor x = f.scope.reals("x", MemoryTag.INPUT, new double[] {Double.NaN, 1});
      double error =
          GradientCheck.worstError(
              f.device,
              List.of(x),
              1,
              (tape, v) -> List.of(DenseFunctions.activation(tape, Activation.GELU, v.get(0))));
      assertTrue(Double.isNaN(error), "error " + error);
    }
  }

  @Test
  void restoresValuesAndMemory() {
    try (Fixture f = Fixture.reference(1)) {
      Tensor x = f.normal(9, 9);
      double[] before = x.toDoubles();
      long live = f.device.ledger().liveBytes();
      f.checkGradient((tape, v) -> List.of(DenseFunctions.reshape(tape, v.get(0), 81)), x);
      assertArrayEquals(before, x.toDoubles());
      assertEquals(live, f.device.ledger().liveBytes());
    }
  }

  @Test
  void needsDoublePrecision() {
    try (Fixture f = Fixture.cpu(1)) {
      var error =
          assertThrows(
              IllegalArgumentException.class,
              () -> GradientCheck.worstError(f.device, List.of(), 1, (tape, v) -> List.of()));
      assertEquals(
          "gradient check on cpu: expected a device of double precision", error.getMessage());
    }
  }
}
