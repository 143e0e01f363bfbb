package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the tape does whatever the functions are: sums of gradients, lifetimes, errors. */
final class TapeTest {
  private static Variable relu(Tape tape, Variable x, Variable weight) {
    return DenseFunctions.linear(tape, x, weight, null, Activation.RELU);
  }

  private static Variable sum(Tape tape, Variable x) {
    return LossFunctions.scaledSum(tape, x, 1);
  }

  /** The identity, whose backward step runs {@code probe}. */
  private static Variable probed(Tape tape, Variable x, Runnable probe) {
    Variable y = tape.output("probe", List.of(x), x.value().shape().toArray());
    tape.operators().elementwise().copy(x.value(), y.value());
    tape.record(
        "probe",
        List.of(y),
        List.of(),
        () -> {
          probe.run();
          tape.gradient(x, dx -> tape.operators().elementwise().copy(y.gradient(), dx));
        });
    return y;
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void gradientsOfSeveralConsumersAreSummed(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      f.checkGradient(
          (tape, v) -> {
            Variable hidden = relu(tape, v.get(0), v.get(1));
            Variable twice = DenseFunctions.add(tape, hidden, hidden);
            Variable more = relu(tape, hidden, v.get(1));
            Variable wide = DenseFunctions.concatColumns(tape, List.of(hidden, more, hidden));
            return List.of(twice, wide, DenseFunctions.activation(tape, Activation.GELU, hidden));
          },
          f.normal(3, 4),
          f.normal(4, 4));
    }
  }

  @Test
  void aValueComputedAgainIsFreedInBetweenAndGivesTheSameGradients() {
    try (Fixture f = Fixture.reference(1)) {
      Variable x = f.leaf(3, 2);
      Variable weight = f.leaf(4, 2);
      Variable next = f.leaf(1, 4);
      List<double[]> gradients = new ArrayList<>();
      for (boolean again : new boolean[] {false, true}) {
        x.gradient().setDoubles(new double[6]);
        try (Tape tape = Tape.recording(f.scope, 0)) {
          Variable y = relu(tape, x, weight);
          Variable z = relu(tape, y, next);
          Tensor first = y.value();
          if (again) {
            tape.computeAgain(
                y,
                value ->
                    tape.operators()
                        .gemm()
                        .linear(x.value(), weight.value(), null, Activation.RELU, value));
            assertTrue(first.isClosed());
          }
          tape.backward(sum(tape, z));
        }
        gradients.add(x.gradient().toDoubles());
      }
      assertArrayEquals(gradients.get(0), gradients.get(1));
      assertTrue(Arrays.stream(gradients.get(0)).anyMatch(g -> g != 0));

      try (Tape tape = Tape.inference(f.scope)) {
        Variable y = relu(tape, x, weight);
        tape.computeAgain(y, value -> fail("there is no backward pass"));
        assertTrue(y.value().isClosed());
        Variable z = relu(tape, x, weight);
        tape.keep(z);
        tape.computeAgain(z, value -> fail("it was kept"));
        assertFalse(z.value().isClosed());
      }
    }
  }

  @Test
  void workAfterTheBackwardPassComesInItsPlaceAndOnlyWhereItIsRecorded() {
    try (Fixture f = Fixture.reference(1)) {
      List<String> done = new ArrayList<>();
      Variable x = f.leaf(1);
      for (boolean recorded : new boolean[] {true, false}) {
        try (Tape tape = recorded ? Tape.recording(f.scope, 0) : Tape.inference(f.scope)) {
          tape.afterBackward("first", () -> done.add("first"));
          Variable y = tape.output("y", List.of(x), 1);
          tape.record("y", List.of(y), List.of(), () -> done.add("y"));
          tape.afterBackward("second", () -> done.add("second"));
          if (recorded) {
            tape.gradient(y, g -> {});
          }
          tape.backward();
        }
        assertEquals(List.of("second", "y", "first"), done);
      }
    }
  }

  @Test
  void aLeafAddsUpOverPasses() {
    try (Fixture f = Fixture.reference(1)) {
      Variable x = Variable.constant(f.normal(3, 4));
      Variable weight = f.leaf(2, 4);
      for (int pass = 0; pass < 2; pass++) {
        try (Tape tape = Tape.recording(f.scope, 1)) {
          tape.backward(sum(tape, relu(tape, x, weight)));
        }
      }
      double[] twice = weight.gradient().toDoubles();
      f.device.operators().elementwise().fill(weight.gradient(), 0);
      try (Tape tape = Tape.recording(f.scope, 1)) {
        tape.backward(sum(tape, relu(tape, x, weight)));
      }
      double[] once = weight.gradient().toDoubles();
      for (int i = 0; i < once.length; i++) {
        assertEquals(2 * once[i], twice[i], 1e-12);
      }
    }
  }

  @Test
  void constantsGetNoGradientAndOnlyConstantsRecordNothing() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.recording(f.scope, 1)) {
      Variable x = Variable.constant(f.normal(3, 4));
      Variable frozen = Variable.constant(f.normal(4, 4));
      Variable weight = f.leaf(4, 4);
      Variable hidden = relu(tape, x, frozen);
      assertFalse(hidden.isDifferentiable());
      Variable y = relu(tape, hidden, weight);
      assertTrue(y.isDifferentiable());
      tape.backward(sum(tape, y));
      assertNull(x.gradient());
      assertNull(frozen.gradient());
      assertNull(hidden.gradient());
      // The node of hidden was never recorded, so nothing in the backward pass freed it.
      assertFalse(hidden.value().isClosed());
      assertTrue(y.value().isClosed());
    }
  }

  @Test
  void anOutputThatNothingReadsIsFreedAndGivesNoGradient() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.recording(f.scope, 1)) {
      Variable weight = f.leaf(4, 4);
      Variable other = f.leaf(4, 4);
      Variable x = Variable.constant(f.normal(3, 4));
      Variable used = relu(tape, x, weight);
      Variable unused = relu(tape, used, other);
      tape.backward(sum(tape, used));
      assertTrue(unused.value().isClosed());
      assertArrayEquals(new double[16], other.gradient().toDoubles());
    }
  }

  @Test
  void memoryFallsDuringBackwardAndReturnsToTheBaseline() {
    try (Fixture f = Fixture.reference(1)) {
      Variable weight = f.leaf(16, 16);
      Variable x = Variable.constant(f.normal(64, 16));
      long baseline = f.device.ledger().liveBytes();
      List<Long> live = new ArrayList<>();
      try (Tape tape = Tape.recording(f.scope, 1)) {
        Variable y = x;
        for (int layer = 0; layer < 6; layer++) {
          y = relu(tape, y, weight);
          y = probed(tape, y, () -> live.add(f.device.ledger().liveBytes()));
        }
        tape.backward(sum(tape, y));
        assertEquals(baseline, f.device.ledger().liveBytes(), "everything recorded is freed");
      }
      assertEquals(6, live.size());
      for (int i = 1; i < live.size(); i++) {
        assertTrue(live.get(i) < live.get(i - 1), "live bytes by probe: " + live);
      }
      assertEquals(baseline, f.device.ledger().liveBytes());
    }
  }

  @Test
  void aTapeThatIsClosedWithoutBackwardFreesEverything() {
    try (Fixture f = Fixture.reference(1)) {
      Variable weight = f.leaf(4, 4);
      long baseline = f.device.ledger().liveBytes();
      try (Tape tape = Tape.recording(f.scope, 1)) {
        sum(tape, relu(tape, Variable.constant(weight.value()), weight));
        assertTrue(f.device.ledger().liveBytes() > baseline);
      }
      assertEquals(baseline, f.device.ledger().liveBytes());
    }
  }

  @Test
  void discardFreesInInferenceOnly() {
    try (Fixture f = Fixture.reference(1);
        Tape training = Tape.recording(f.scope, 1);
        Tape inference = Tape.inference(f.scope)) {
      Variable weight = f.leaf(4, 4);
      Variable x = Variable.constant(f.normal(3, 4));
      Variable saved = relu(training, x, weight);
      training.discard(saved);
      assertFalse(saved.value().isClosed());

      Variable gone = relu(inference, x, weight);
      assertFalse(gone.isDifferentiable());
      inference.discard(gone);
      inference.discard(gone);
      assertTrue(gone.value().isClosed());
      inference.discard(x);
      assertFalse(x.value().isClosed(), "a tape discards only what it made");
    }
  }

  @Test
  void inferenceFreesWhatOnlyABackwardPassWouldRead() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.inference(f.scope)) {
      Variable x = Variable.constant(f.normal(3, 4));
      Variable gamma = f.leaf(4);
      Variable beta = f.leaf(4);
      long before = f.device.ledger().liveBytes();
      DenseFunctions.layerNorm(tape, x, gamma, beta, 1e-5);
      long y = 256; // 3·4 doubles, padded
      assertEquals(before + y, f.device.ledger().liveBytes());
    }
  }

  @Test
  void keptValuesOutliveDiscardAndBackward() {
    try (Fixture f = Fixture.reference(1)) {
      Variable weight = f.leaf(4, 4);
      Variable x = Variable.constant(f.normal(3, 4));
      Tensor kept;
      try (Tape tape = Tape.recording(f.scope, 1)) {
        Variable y = tape.keep(relu(tape, x, weight));
        kept = y.value();
        double[] before = kept.toDoubles();
        tape.backward(sum(tape, y));
        assertArrayEquals(before, kept.toDoubles());
      }
      assertTrue(kept.isClosed());
      try (Tape tape = Tape.inference(f.scope)) {
        Variable y = tape.keep(relu(tape, x, weight));
        tape.discard(y);
        assertFalse(y.value().isClosed());
      }
    }
  }

  @Test
  void backwardNeedsOneDifferentiableElement() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.recording(f.scope, 1)) {
      Variable x = Variable.constant(f.normal(2, 4));
      Variable y = relu(tape, x, f.leaf(3, 4));
      var error = assertThrows(IllegalArgumentException.class, () -> tape.backward(y));
      assertEquals("backward from linear F64[2, 3]: expected one element", error.getMessage());

      Variable constant = sum(tape, x);
      error = assertThrows(IllegalArgumentException.class, () -> tape.backward(constant));
      assertTrue(error.getMessage().contains("depends on no parameter"), error.getMessage());
    }
  }

  @Test
  void anErrorInABackwardStepNamesTheFunctionAndCloseStillFreesEverything() {
    try (Fixture f = Fixture.reference(1)) {
      Variable weight = f.leaf(4, 4);
      Variable x = Variable.constant(f.normal(3, 4));
      long baseline = f.device.ledger().liveBytes();
      try (Tape tape = Tape.recording(f.scope, 1)) {
        Variable y = relu(tape, x, weight);
        y =
            probed(
                tape,
                y,
                () -> {
                  throw new IllegalArgumentException("no such thing");
                });
        Variable loss = sum(tape, relu(tape, y, weight));
        var error = assertThrows(IllegalStateException.class, () -> tape.backward(loss));
        assertEquals("backward of probe: no such thing", error.getMessage());
        assertEquals("no such thing", error.getCause().getMessage());
        assertTrue(f.device.ledger().liveBytes() > baseline);
      }
      assertEquals(baseline, f.device.ledger().liveBytes());
    }
  }

  @Test
  void aLeafsGradientMustMatchItsValue() {
    try (Fixture f = Fixture.reference(1)) {
      Tensor value = f.normal(2, 3);
      Tensor gradient = f.scope.zeros("gradient", MemoryTag.GRADIENTS, 3, 2);
      var error =
          assertThrows(IllegalArgumentException.class, () -> Variable.leaf(value, gradient));
      assertEquals(
          "leaf input F64[2, 3] with gradient gradient F64[3, 2]: types or shapes differ",
          error.getMessage());
    }
  }
}
