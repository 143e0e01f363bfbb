package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.operators.Activation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Names and shapes: what fits, and the line for each thing that does not. */
final class StateDictTest {
  private static StateDict linear(Fixture f) {
    new Linear(f.parameters.in("head"), 3, 2, Activation.RELU, Initializer.normal(1));
    return f.parameters.stateDict();
  }

  @Test
  void sharesTheParametersMemory() {
    try (Fixture f = Fixture.cpu(1)) {
      StateDict state = linear(f);
      assertEquals(List.of("head.weight", "head.bias"), List.copyOf(state.tensors().keySet()));
      assertSame(f.parameters.values().get(0), state.tensors().get("head.weight"));
      assertThrows(UnsupportedOperationException.class, () -> state.tensors().clear());
    }
  }

  @Test
  void aSourceThatFitsHasNoMismatch() {
    try (Fixture f = Fixture.cpu(1)) {
      assertEquals(
          List.of(),
          linear(f)
              .mismatches(Map.of("head.bias", new long[] {2}, "head.weight", new long[] {2, 3})));
    }
  }

  @Test
  void everyMismatchHasItsLine() {
    try (Fixture f = Fixture.cpu(1)) {
      Map<String, long[]> shapes = new LinkedHashMap<>();
      shapes.put("tail.weight", new long[] {1});
      shapes.put("head.weight", new long[] {3, 2});
      assertEquals(
          List.of(
              "tensor 'head.weight' has shape [3, 2], expected [2, 3]",
              "tensor 'head.bias' is missing, expected shape [2]",
              "tensor 'tail.weight' is not of this model"),
          linear(f).mismatches(shapes));
    }
  }

  @Test
  void joinsUnderAPrefix() {
    try (Fixture f = Fixture.cpu(1)) {
      StateDict state = linear(f);
      assertEquals(
          List.of("head.weight", "head.bias", "ema.head.weight", "ema.head.bias"),
          List.copyOf(state.with("ema.", state).tensors().keySet()));
      var error = assertThrows(IllegalArgumentException.class, () -> state.with("", state));
      assertEquals("two tensors named 'head.weight'", error.getMessage());
    }
  }
}
