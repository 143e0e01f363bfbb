package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.operators.Activation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpointed computation equals the plain one, bit for bit, and needs less memory. */
final class CheckpointTest {
  private static final int ROWS = 48;
  private static final int WIDTH = 8;
  private static final int BLOCKS = 8;

  /** How the blocks of {@link #network} are run. */
  private enum Way {
    PLAIN,
    /** Each block is a checkpoint. */
    BLOCKS,
    /** Two checkpoints of half the blocks. */
    HALVES,
    /** Two checkpoints of half the blocks, whose blocks are checkpoints again. */
    NESTED
  }

  /** What a pass computed and what it took. */
  private record Pass(double[] output, List<double[]> gradients, long forwardPeak, long peak) {}

  /** x + dropout(linear(layerNorm(x))): x has two readers, so sums of gradients are at stake. */
  private static Variable block(Tape tape, Variable x, List<Variable> leaves, int index) {
    Variable normalized = DenseFunctions.layerNorm(tape, x, leaves.get(0), leaves.get(1), 1e-5);
    Variable hidden =
        DenseFunctions.linear(tape, normalized, leaves.get(2), leaves.get(3), Activation.GELU);
    tape.discard(normalized);
    Variable kept = DenseFunctions.dropout(tape, hidden, 0.7, "block " + index);
    return DenseFunctions.add(tape, x, kept);
  }

  private static Variable blocks(
      Tape tape, Variable x, List<Variable> leaves, int from, int to, boolean each) {
    Variable y = x;
    for (int b = from; b < to; b++) {
      int index = b;
      y =
          each
              ? tape.checkpoint(
                      "block",
                      List.of(y),
                      (inner, in) -> List.of(block(inner, in.get(0), leaves, index)))
                  .get(0)
              : block(tape, y, leaves, index);
    }
    return y;
  }

  private static Variable half(
      Tape tape, Variable x, List<Variable> leaves, int from, boolean each) {
    return tape.checkpoint(
            "half",
            List.of(x),
            (inner, in) -> List.of(blocks(inner, in.get(0), leaves, from, from + BLOCKS / 2, each)))
        .get(0);
  }

  private static Variable network(Tape tape, Variable x, List<Variable> leaves, Way way) {
    Variable y =
        switch (way) {
          case PLAIN -> blocks(tape, x, leaves, 0, BLOCKS, false);
          case BLOCKS -> blocks(tape, x, leaves, 0, BLOCKS, true);
          case HALVES, NESTED -> {
            boolean each = way == Way.NESTED;
            yield half(tape, half(tape, x, leaves, 0, each), leaves, BLOCKS / 2, each);
          }
        };
    // x again: the network's input has a reader outside of every checkpoint.
    return DenseFunctions.add(tape, y, x);
  }

  private static Pass run(Fixture f, Way way) {
    List<Variable> leaves =
        List.of(f.leaf(WIDTH), f.leaf(WIDTH), f.leaf(WIDTH, WIDTH), f.leaf(WIDTH));
    Variable x = f.leaf(ROWS, WIDTH);
    Variable weight = f.leaf(WIDTH, WIDTH);
    MemoryLedger ledger = f.device.ledger();
    long baseline = ledger.liveBytes();
    ledger.setRecording(true);
    double[] output;
    long forwardPeak;
    try (Tape tape = Tape.recording(f.scope, 5)) {
      Variable first = DenseFunctions.linear(tape, x, weight, null, Activation.IDENTITY);
      Variable y = network(tape, first, leaves, way);
      output = y.value().toDoubles();
      forwardPeak = peak(ledger) - baseline;
      tape.backward(
          LossFunctions.scaledSum(tape, DenseFunctions.activation(tape, Activation.GELU, y), 0.1));
    }
    assertEquals(baseline, ledger.liveBytes());
    List<double[]> gradients = new ArrayList<>();
    leaves.forEach(leaf -> gradients.add(leaf.gradient().toDoubles()));
    gradients.add(x.gradient().toDoubles());
    gradients.add(weight.gradient().toDoubles());
    return new Pass(output, gradients, forwardPeak, peak(ledger) - baseline);
  }

  private static long peak(MemoryLedger ledger) {
    return ledger.events().stream().mapToLong(MemoryLedger.Event::liveBytes).max().orElse(0);
  }

  private static Pass onReference(Way way) {
    try (Fixture f = Fixture.reference(11)) {
      return run(f, way);
    }
  }

  private static void assertSameBits(Pass expected, Pass actual) {
    assertArrayEquals(expected.output(), actual.output());
    for (int g = 0; g < expected.gradients().size(); g++) {
      assertArrayEquals(expected.gradients().get(g), actual.gradients().get(g), "gradient " + g);
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void sameBitsOnTheReference(Way way) {
    assertSameBits(onReference(Way.PLAIN), onReference(way));
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void sameBitsOnTheCpu(Way way) {
    try (Fixture f = Fixture.cpu(11);
        Fixture g = Fixture.cpu(11)) {
      assertSameBits(run(f, Way.PLAIN), run(g, way));
    }
  }

  @Test
  void checkpointsLowerThePeak() {
    long plain = onReference(Way.PLAIN).peak();
    long blocks = onReference(Way.BLOCKS).peak();
    long halves = onReference(Way.HALVES).peak();
    long nested = onReference(Way.NESTED).peak();
    String peaks = plain + " plain, " + blocks + " blocks, " + halves + " halves, " + nested;
    assertTrue(blocks < plain / 2, peaks);
    assertTrue(halves < plain * 3 / 4, peaks);
    assertTrue(nested < halves, peaks);
  }

  @Test
  void aNestedCheckpointFreesItsInsidesInTheForwardPassToo() {
    assertTrue(onReference(Way.NESTED).forwardPeak() < onReference(Way.HALVES).forwardPeak());
  }

  @Test
  void inferenceThroughACheckpointComputesTheSameAndFreesItsInsides() {
    try (Fixture f = Fixture.reference(3);
        Tape plain = Tape.inference(f.scope);
        Tape checkpointed = Tape.inference(f.scope)) {
      List<Variable> leaves =
          List.of(f.leaf(WIDTH), f.leaf(WIDTH), f.leaf(WIDTH, WIDTH), f.leaf(WIDTH));
      Variable x = Variable.constant(f.normal(ROWS, WIDTH));
      double[] expected = block(plain, x, leaves, 0).value().toDoubles();
      long before = f.device.ledger().liveBytes();
      Variable y = blocks(checkpointed, x, leaves, 0, 1, true);
      assertArrayEquals(expected, y.value().toDoubles());
      assertEquals(before + y.value().bytes(), f.device.ledger().liveBytes());
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2})
  void gradientOfSeveralInputsAndOutputs(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      f.checkGradient(
          (tape, v) -> {
            Variable x = v.get(0);
            List<Variable> out =
                tape.checkpoint(
                    "pair",
                    List.of(x, x, v.get(1)),
                    (inner, in) -> {
                      Variable both = DenseFunctions.add(inner, in.get(0), in.get(1));
                      Variable hidden =
                          DenseFunctions.linear(inner, both, in.get(2), null, Activation.RELU);
                      return List.of(hidden, DenseFunctions.add(inner, both, in.get(0)));
                    });
            return List.of(DenseFunctions.add(tape, out.get(1), x), out.get(0), out.get(1));
          },
          f.normal(3, 4),
          f.normal(5, 4));
    }
  }

  @Test
  void anOutputThatNothingReadsCostsNoGradient() {
    try (Fixture f = Fixture.reference(1)) {
      f.checkGradient(
          (tape, v) ->
              List.of(
                  tape.checkpoint(
                          "two",
                          List.of(v.get(0)),
                          (inner, in) ->
                              List.of(
                                  DenseFunctions.add(inner, in.get(0), in.get(0)),
                                  DenseFunctions.activation(inner, Activation.GELU, in.get(0))))
                      .get(1)),
          f.normal(3, 4));
    }
  }

  @Test
  void aKeptOutputOutlivesTheBackwardPass() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.recording(f.scope, 1)) {
      Variable x = f.leaf(3, 4);
      Variable y =
          tape.checkpoint(
                  "double",
                  List.of(x),
                  (inner, in) -> List.of(DenseFunctions.add(inner, in.get(0), in.get(0))))
              .get(0);
      tape.keep(y);
      double[] before = y.value().toDoubles();
      tape.backward(LossFunctions.scaledSum(tape, y, 1));
      assertArrayEquals(before, y.value().toDoubles());
    }
  }

  @Test
  void anErrorInsideASegmentNamesItAndLeavesNothingBehind() {
    try (Fixture f = Fixture.reference(1)) {
      Variable x = f.leaf(3, 4);
      long baseline = f.device.ledger().liveBytes();
      try (Tape tape = Tape.recording(f.scope, 1)) {
        assertThrows(
            IllegalArgumentException.class,
            () ->
                tape.checkpoint(
                    "broken",
                    List.of(x),
                    (inner, in) -> {
                      DenseFunctions.add(inner, in.get(0), in.get(0));
                      throw new IllegalArgumentException("in the forward pass");
                    }));
        assertEquals(baseline, f.device.ledger().liveBytes());

        Variable y =
            tape.checkpoint(
                    "fragile",
                    List.of(x),
                    (inner, in) -> {
                      Variable twice = DenseFunctions.add(inner, in.get(0), in.get(0));
                      if (inner.isRecording()) {
                        throw new IllegalArgumentException("in the second pass");
                      }
                      return List.of(twice);
                    })
                .get(0);
        Variable loss = LossFunctions.scaledSum(tape, y, 1);
        var error = assertThrows(IllegalStateException.class, () -> tape.backward(loss));
        assertEquals("backward of fragile: in the second pass", error.getMessage());
      }
      assertEquals(baseline, f.device.ledger().liveBytes());
    }
  }
}
