package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.CudaDevice;
import autosparse.engine.DType;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.kernels.Gpu;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Operators on views that start at any row, of any number of columns, give what they give on a copy
 * that starts where tensors start; and write nothing beside it. Kernels read many bytes at a time,
 * which a view's first byte need not allow.
 */
class RowViewsTest {
  private static final int ROWS = 37;
  private static final int[] COLUMNS = {1, 2, 3, 4, 5, 7, 8, 12, 32, 258, 260};
  private static final int MOST_FIRST_ROW = 5;
  private static final double TOLERANCE = 1e-6;

  /** What an operator reads besides the rows. */
  private record More(Tensor columns, Tensor others, Tensor offsets, Tensor index, Tensor norms) {}

  /** An operator of two arrays [rows, columns] with a result of the same shape. */
  @FunctionalInterface
  private interface Operator {
    void run(Device device, Tensor a, Tensor b, More more, Tensor y);
  }

  private static final Map<String, Operator> OPERATORS =
      Map.ofEntries(
          one("fill", (device, a, b, more, y) -> device.operators().elementwise().fill(y, 2)),
          one("copy", (device, a, b, more, y) -> device.operators().elementwise().copy(a, y)),
          one("add", (device, a, b, more, y) -> device.operators().elementwise().add(a, b, y)),
          one("axpy", (device, a, b, more, y) -> device.operators().elementwise().axpy(0.5, a, y)),
          one(
              "scale",
              (device, a, b, more, y) -> device.operators().elementwise().scale(0.25, a, y)),
          one(
              "gelu",
              (device, a, b, more, y) ->
                  device.operators().elementwise().activation(Activation.GELU, a, y)),
          one(
              "relu backward",
              (device, a, b, more, y) ->
                  device.operators().elementwise().activationBackward(Activation.RELU, a, b, y)),
          one(
              "copy columns",
              (device, a, b, more, y) ->
                  device.operators().elementwise().copyColumns(a, 0, y, 0, y.dim(1), true)),
          one(
              "gather",
              (device, a, b, more, y) -> device.operators().embedding().gather(a, more.index, y)),
          one(
              "layer norm",
              (device, a, b, more, y) ->
                  device
                      .operators()
                      .normalization()
                      .layerNorm(
                          a,
                          more.columns.rows(0, 1).view(y.dim(1)),
                          more.others.rows(0, 1).view(y.dim(1)),
                          1e-5,
                          y,
                          more.norms.rows(0, 1).view(y.dim(0)),
                          more.norms.rows(1, 2).view(y.dim(0)))),
          one(
              "average",
              (device, a, b, more, y) -> {
                device.operators().pooling().globalAverage(a, more.offsets, more.columns);
                device
                    .operators()
                    .pooling()
                    .reluAverageBackward(a, b, more.columns, more.offsets, y);
              }),
          one(
              "column sum",
              (device, a, b, more, y) -> {
                device.operators().reduction().columnSum(a, false, more.columns.view(y.dim(1)));
                device
                    .operators()
                    .pooling()
                    .reluAverageBackward(a, b, more.columns, more.offsets, y);
              }));

  private static Map.Entry<String, Operator> one(String name, Operator operator) {
    return Map.entry(name, operator);
  }

  private static double[] values(long elements, long seed) {
    // Eighths: exact in every format, so that a copy is one.
    return new SplittableRandom(seed)
        .ints(elements, -16, 17)
        .mapToDouble(i -> i == 0 ? 0.125 : i / 8.0)
        .toArray();
  }

  private static Tensor tensor(TensorScope scope, long rows, long columns, long seed) {
    Tensor tensor = scope.activation("rows", rows, columns);
    tensor.setDoubles(values(tensor.elements(), seed));
    return tensor;
  }

  private static Tensor copy(TensorScope scope, Tensor view) {
    Tensor tensor = scope.activation("copy", view.dim(0), view.dim(1));
    tensor.setDoubles(view.toDoubles());
    return tensor;
  }

  private static More more(TensorScope scope, int columns) {
    int[] index = new SplittableRandom(9).ints(ROWS, 0, ROWS).toArray();
    return new More(
        scope.reals("columns", MemoryTag.INPUT, values(columns, 3), 1, columns),
        scope.reals("others", MemoryTag.INPUT, values(columns, 4), 1, columns),
        scope.longs("offsets", MemoryTag.INPUT, new long[] {0, ROWS}),
        scope.ints("index", MemoryTag.INPUT, index),
        scope.real("norms", MemoryTag.INPUT, 2, ROWS));
  }

  private static void check(Device device, String name, int columns, int first) {
    String what = name + " of " + columns + " columns from row " + first;
    long all = ROWS + 2L * MOST_FIRST_ROW;
    try (TensorScope scope = device.root().child("row views")) {
      Tensor whole = tensor(scope, all, columns, 2);
      double[] before = whole.toDoubles();
      Tensor a = tensor(scope, all, columns, 5).rows(first, first + ROWS);
      // The second array starts elsewhere than the first.
      Tensor b = tensor(scope, all, columns, 6).rows(2L * first, 2L * first + ROWS);
      Tensor y = whole.rows(first, first + ROWS);
      Tensor expected = copy(scope, y);
      OPERATORS
          .get(name)
          .run(device, copy(scope, a), copy(scope, b), more(scope, columns), expected);
      OPERATORS.get(name).run(device, a, b, more(scope, columns), y);
      assertArrayEquals(expected.toDoubles(), y.toDoubles(), TOLERANCE, what);
      double[] after = whole.toDoubles();
      int from = first * columns;
      int to = from + ROWS * columns;
      assertArrayEquals(
          Arrays.copyOfRange(before, 0, from), Arrays.copyOfRange(after, 0, from), what);
      assertArrayEquals(
          Arrays.copyOfRange(before, to, before.length),
          Arrays.copyOfRange(after, to, after.length),
          what);
    }
  }

  private static void check(Device device) {
    for (String operation : OPERATORS.keySet()) {
      for (int columns : COLUMNS) {
        for (int first = 0; first <= MOST_FIRST_ROW; first++) {
          check(device, operation, columns, first);
        }
      }
    }
  }

  @Test
  void onTheCpu() {
    try (Device device =
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(1L << 24).withThreads(2))) {
      check(device);
    }
  }

  @Tag("gpu")
  @ParameterizedTest
  @EnumSource(Precision.class)
  void onAGpu(Precision precision) {
    GpuTests.require();
    try (Device device =
        CudaDevice.open(
            CudaDevice.Options.of(0)
                .withCapacity(1L << 26)
                .withGuards()
                .withPrecision(precision))) {
      check(device);
    }
  }

  /** What starts inside an access, under another shape than its own, is refused, not misread. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FP32", "BF16"})
  void otherShapesOfAView(Precision precision) {
    Gpu gpu = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);
    try (Device device = PlanningDevice.cuda(gpu, precision, true, 1L << 24);
        TensorScope scope = device.root().child("views")) {
      Tensor rows = scope.activation("rows of three", 9, 3);
      Tensor reshaped = rows.rows(1, 9).view(6, 4);
      Tensor y = scope.activation("y", 5, 4);
      Tensor index = scope.create("index", DType.I32, MemoryTag.INPUT, 5);
      List<String> messages = new ArrayList<>();
      messages.add(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> device.operators().embedding().gather(reshaped, index, y))
              .getMessage());
      Tensor qkv = scope.activation("qkv of threes", 25, 3).rows(1, 25).view(6, 12);
      Tensor offsets = scope.longs("offsets", MemoryTag.INPUT, new long[] {0, 6});
      Tensor out = scope.activation("out", 6, 4);
      Tensor sums = scope.real("log sum exp", MemoryTag.ACTIVATION, 6, 1);
      messages.add(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> device.operators().attention().attention(qkv, offsets, 1, out, sums))
              .getMessage());
      for (String message : messages) {
        assertTrue(message.contains("4 at a time"), message);
      }
      device.operators().embedding().gather(rows.rows(1, 9), index, scope.activation("y3", 5, 3));
    }
  }
}
