package autosparse.costmodel.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.SparseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.SharedData;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.checkpoint.WacoWeights;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.tokens.Scaling;
import autosparse.costmodel.tokens.WacoProjection;
import autosparse.engine.BFloat16;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.GpuTests;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.WacoSchedule;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The engine judged from end to end by somebody else's trained network: with WACO's published SpMM
 * weights every layer must answer what an independent implementation wrote down.
 *
 * <p>That implementation formed its pools by adding up the sites of a layer one after another in
 * float. Over 701,760 sites this is off by up to 0.2 % of the true mean, so its pools are compared
 * with the same running sum over the layers' outputs here; the engine's own pools must be the true
 * means of those outputs, and with them the network's answers move by less than {@link #OF_POOLS}.
 *
 * <p>Another device joins by its name, as {@link DeviceSelection} knows it; a GPU's test carries
 * the tag {@code gpu}. On a GPU the network runs in every precision. Where tensor cores round
 * factors, n roundings one after another may move a vector by √n units of the rounding, of its
 * norm: they are independent of each other, and each is of one unit at most.
 */
class WacoReferenceTest {
  /** Of a vector's norm. */
  private static final double TOLERANCE = 1e-4;

  /** How far the reference's float sums may move its answers, of their norm. */
  private static final double OF_POOLS = 2e-4;

  /** Largest relative errors of one rounding: tensor cores drop a float's last bits. */
  private static final double TF32_UNIT = 0x1p-10;

  private static final double BF16_UNIT = BFloat16.EPSILON / 2;

  /** Linear layers from the pools to a prediction. */
  private static final int HEAD_LAYERS = 5;

  private static final ConvolutionKernel FIRST = new ConvolutionKernel(5, 1, 1);
  private static final ConvolutionKernel STRIDED = new ConvolutionKernel(3, 2, 1);
  private static final int LAYERS = 14;
  private static final int CHANNELS = 32;
  private static final Op OP = Op.SPMM;

  /** Pools of all layers, [14·32]: true means, and means of a running sum in float. */
  private record Pools(double[] exact, double[] running) {}

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void theNetworkAnswersWhatTheReferenceDoes(String name) throws IOException {
    compareOn(name, Precision.FP32);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  @Tag("gpu")
  void onAGpuToo(Precision precision) throws IOException {
    GpuTests.require();
    compareOn("cuda:0", precision);
  }

  /** How far the pools may be off, of their norm: each layer rounds its weights and its input. */
  private static double ofTower(Precision precision) {
    double roundings = Math.sqrt(2 * LAYERS);
    return switch (precision) {
      case FP32 -> TOLERANCE;
      case TF32 -> roundings * TF32_UNIT;
      case BF16 -> roundings * BF16_UNIT;
    };
  }

  /** The same for the layers behind the tower, which are stored in float in every precision. */
  private static double ofHead(Precision precision) {
    return precision == Precision.FP32 ? TOLERANCE : Math.sqrt(2 * HEAD_LAYERS) * TF32_UNIT;
  }

  private static double ofBoth(Precision precision, double singlePrecision) {
    return precision == Precision.FP32
        ? singlePrecision
        : singlePrecision + ofTower(precision) + ofHead(precision);
  }

  private static void compareOn(String name, Precision precision) throws IOException {
    Path weights = SharedData.require("waco/weights/waco-spmm.pth");
    JsonNode vectors =
        new ObjectMapper()
            .readTree(SharedData.require("waco/reference-vectors-spmm.json").toFile());
    DeviceSelection.Options options = new DeviceSelection.Options(0, 2);
    try (Device device = DeviceSelection.of(name, options).withPrecision(precision).open()) {
      ModelFile.Loaded loaded = WacoWeights.read(weights, OP, Scaling.zero(4), device.root());
      try (CostModel model = loaded.model()) {
        assertEquals(376_769, model.parameters().count());
        assertEquals(2, vectors.size());
        vectors
            .properties()
            .forEach(
                entry -> {
                  String matrix = entry.getKey().substring(entry.getKey().indexOf('/') + 1);
                  Path file = SharedData.require("matrices/" + matrix + ".csr");
                  SparsityPattern pattern = MatrixReader.read(file);
                  check(name, precision, (WacoModel) model, pattern, entry.getValue());
                });
      }
    }
  }

  private static void check(
      String device,
      Precision precision,
      WacoModel model,
      SparsityPattern matrix,
      JsonNode vectors) {
    assertArrayEquals(
        new double[] {matrix.rows(), matrix.cols(), matrix.nnz()}, numbers(vectors, "shape"));
    Problem problem = Problem.of(OP, matrix).withDenseSize(OP.wacoDenseSize());
    List<Schedule> schedules = new ArrayList<>();
    for (JsonNode line : vectors.path("lines")) {
      SourceLocation source = SourceLocation.of(Path.of("lines"), schedules.size() + 1L);
      schedules.add(WacoSchedule.parseMeasured(OP, line.asText(), source).schedule());
    }
    TensorScope scope = model.parameters().values().get(0).device().root();
    Sites.Pattern sites =
        new Sites.Pattern(matrix.rows(), matrix.cols(), matrix.rowPointers(), matrix.columns());
    String of = device + " in " + precision + ", " + matrix.name() + ": ";
    double ofBoth = ofBoth(precision, TOLERANCE);
    try (PatternPyramid pyramid = new PatternPyramid(scope, sites);
        Tape tape = Tape.inference(scope)) {
      Variable pools = model.pattern(tape, pyramid);
      Pools byHand = pools(scope, model, pyramid);
      assertClose(of + "pools", numbers(vectors, "pool448"), byHand.running(), ofTower(precision));
      assertClose(of + "true means", byHand.exact(), pools.value().toDoubles(), 1e-6);
      Variable running =
          Variable.constant(
              tape.scope().reals("pools", MemoryTag.INPUT, byHand.running(), 1, LAYERS * CHANNELS));
      Variable zero = Variable.constant(tape.scope().zeros("shape", MemoryTag.INPUT, 1, 3));
      double[] query = model.query(tape, running, zero).value().toDoubles();
      assertClose(of + "query", numbers(vectors, "query128_shape000"), query, ofBoth);
      double[] first = embedding(tape, model, problem, schedules.get(0)).value().toDoubles();
      assertClose(of + "first schedule", numbers(vectors, "schedemb0"), first, ofHead(precision));
      EncodedTask task = model.encode(matrix, problem, schedules);
      double[] expected = numbers(vectors, "pred10");
      assertEquals(10, expected.length);
      double[] predictions = predictions(tape, model, running, task);
      assertClose(of + "predictions", expected, predictions, ofBoth);
      double[] whole = predictions(tape, model, pools, task);
      double ofWhole = ofBoth(precision, OF_POOLS);
      assertClose(of + "predictions by the whole network", expected, whole, ofWhole);
      if (precision == Precision.FP32) {
        assertEquals(order(expected), order(whole), of + "order of the predictions");
      }
    }
  }

  /** WACO's: smaller = faster. */
  private static double[] predictions(
      Tape tape, WacoModel model, Variable pools, EncodedTask task) {
    int[] all = IntStream.range(0, task.size()).toArray();
    Variable scores = model.scores(tape, pools, List.of(new Selection(task, 0, all)));
    return DoubleStream.of(scores.value().toDoubles()).map(score -> -score).toArray();
  }

  private static List<Integer> order(double[] values) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> values[i]))
        .toList();
  }

  /** The tower layer by layer, its outputs averaged on the host. */
  private static Pools pools(TensorScope parent, WacoModel model, PatternPyramid pyramid) {
    double[] exact = new double[LAYERS * CHANNELS];
    double[] running = new double[LAYERS * CHANNELS];
    try (TensorScope scope = parent.child("layers");
        Tape tape = Tape.inference(scope)) {
      Variable x = null;
      for (int layer = 0; layer < LAYERS; layer++) {
        Variable weight = model.parameters().byName().get("tower." + (layer + 1) + ".weight");
        SparseFunctions.Level level =
            layer == 0
                ? SparseFunctions.convolutionOfOnes(
                    tape, pyramid.sites(0), FIRST, pyramid.masks(FIRST), weight)
                : SparseFunctions.convolution(tape, x, weight, pyramid.map(layer - 1, STRIDED));
        x = level.features();
        average(x.value(), exact, running, layer * CHANNELS);
      }
    }
    return new Pools(exact, running);
  }

  private static void average(Tensor features, double[] exact, double[] running, int at) {
    int sites = Math.toIntExact(features.dim(0));
    double[] values = features.toDoubles();
    float[] sums = new float[CHANNELS];
    for (int site = 0; site < sites; site++) {
      for (int c = 0; c < CHANNELS; c++) {
        double value = values[site * CHANNELS + c];
        exact[at + c] += value / sites;
        sums[c] += (float) value;
      }
    }
    for (int c = 0; c < CHANNELS; c++) {
      running[at + c] = sums[c] / sites;
    }
  }

  private static Variable embedding(
      Tape tape, WacoModel model, Problem problem, Schedule schedule) {
    WacoProjection.Projected projected = new WacoProjection(OP).project(schedule, problem);
    List<Tensor> columns =
        IntStream.of(projected.categories())
            .mapToObj(
                category -> tape.scope().ints("category", MemoryTag.INPUT, new int[] {category}))
            .toList();
    double[] order = new double[projected.order().length];
    for (int i = 0; i < order.length; i++) {
      order[i] = projected.order()[i];
    }
    Variable orders =
        Variable.constant(tape.scope().reals("order", MemoryTag.INPUT, order, 1, order.length));
    return model.scheduleEmbedding(tape, columns, orders);
  }

  private static double[] numbers(JsonNode vectors, String field) {
    double[] values = new double[vectors.path(field).size()];
    assertTrue(values.length > 0, field);
    for (int i = 0; i < values.length; i++) {
      values[i] = vectors.path(field).get(i).asDouble();
    }
    return values;
  }

  /** Each element to a tolerance of the vector's norm. */
  private static void assertClose(
      String what, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    double squares = 0;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += expected[i] * expected[i];
      // A NaN goes through Math.max and fails the comparison below.
      largest = Math.max(largest, Math.abs(expected[i] - actual[i]));
    }
    double relative = largest / Math.sqrt(squares);
    assertTrue(relative <= tolerance, what + ": off by " + relative + " of the norm");
  }
}
