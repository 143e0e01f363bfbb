package autosparse.engine.operators;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.DType;
import autosparse.engine.HostDevice;
import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Wrong arguments are refused with the operator, the argument and its values in one line. */
class OperatorChecksTest {
  private static HostDevice device;
  private static Operators operators;

  @BeforeAll
  static void open() {
    device = HostDevice.cpu(new HostDevice.Options(1 << 20, 1, false));
    operators = device.operators();
  }

  @AfterAll
  static void close() {
    device.close();
  }

  private static Tensor real(String name, long... sizes) {
    return device.root().real(name, MemoryTag.ACTIVATION, sizes);
  }

  private static Tensor longs(long... values) {
    return device.root().longs("offsets", MemoryTag.INPUT, values);
  }

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }

  @Test
  void gemm() {
    refused(
        "gemm: b is b F32[4, 5]: expected shape [3, 5] (-1: any)",
        () ->
            operators
                .gemm()
                .gemm(false, real("a", 2, 3), false, real("b", 4, 5), 1, 0, real("c", 2, 5)));
    refused(
        "linear: activation GELU cannot be fused",
        () ->
            operators
                .gemm()
                .linear(real("x", 2, 3), real("w", 4, 3), null, Activation.GELU, real("y", 2, 4)));
  }

  @Test
  void types() {
    Tensor indices = device.root().ints("index", MemoryTag.INPUT, new int[] {0, 1});
    refused(
        "fill: y is index I32[2]: expected F32", () -> operators.elementwise().fill(indices, 0));
    refused(
        "gather: index is x F32[2]: expected I32",
        () -> operators.embedding().gather(real("t", 3, 4), real("x", 2), real("y", 2, 4)));
    Tensor wide = device.root().create("wide", DType.F64, MemoryTag.ACTIVATION, 2);
    refused(
        "copy: x is wide F64[2]: expected F32",
        () -> operators.elementwise().copy(wide, real("y", 2)));
  }

  @Test
  void values() {
    Tensor x = real("x", 2);
    refused(
        "dropout: keep 0.0: expected in (0, 1]", () -> operators.elementwise().dropout(x, 0, 1, x));
    refused(
        "add: a is x F32[2], y is y F32[3]: shapes differ",
        () -> operators.elementwise().add(x, x, real("y", 3)));
    refused(
        "attention: 3 heads over 4 columns: expected a divisor",
        () ->
            operators
                .attention()
                .attention(
                    real("qkv", 2, 12), longs(0, 2), 3, real("out", 2, 4), real("logs", 2, 3)));
    refused(
        "adam: 1 weights, 0 gradients, 1 and 1 moments: expected equally many",
        () ->
            operators
                .optimizer()
                .adam(
                    new OptimizerOperators.AdamStep(1, 0, 0, 0, 0, 0, false, 0),
                    List.of(x),
                    List.of(),
                    List.of(x),
                    List.of(x),
                    real("norm", 1)));
    refused(
        "average: share 0.0: expected in (0, 1]",
        () -> operators.optimizer().average(0, List.of(x), List.of(x)));
    refused(
        "average: 1 weights, 0 averages: expected equally many",
        () -> operators.optimizer().average(0.5, List.of(x), List.of()));
    refused(
        "average: average is y F32[3], weight is x F32[2]: shapes differ",
        () -> operators.optimizer().average(0.5, List.of(x), List.of(real("y", 3))));
  }

  @Test
  void offsetsOnHostDevices() {
    refused(
        "segmentSum: offsets I64[3] run from 0 to 4: expected 0 to 5",
        () -> operators.reduction().segmentSum(real("x", 5, 2), longs(0, 1, 4), real("y", 2, 2)));
    refused(
        "margin: offsets I64[4] fall from 3 to 2 at segment 1",
        () ->
            operators
                .rankingLoss()
                .margin(
                    real("s", 5),
                    real("l", 5),
                    longs(0, 3, 2, 5),
                    1,
                    real("losses", 3),
                    real("ds", 5)));
  }

  @Test
  void indicesOnHostDevices() {
    Tensor index = device.root().ints("index", MemoryTag.INPUT, new int[] {0, 3});
    assertEquals(
        "index[1] = 3: outside the rows of t F32[3, 4]",
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> operators.embedding().gather(real("t", 3, 4), index, real("y", 2, 4)))
            .getMessage());
  }
}
