package autosparse.costmodel.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.memory.TowerStrategy.Checkpoints;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModels;
import autosparse.engine.BFloat16;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Averages and gradients of the tower do not depend on how it is run. */
class TowerStrategyTest {
  private static final double TOLERANCE = 1e-5;

  private static final long CAPACITY = 2L << 30;

  /** What a pass over a batch gives: features, then the gradient of every parameter. */
  private record Outcome(double[] features, List<double[]> gradients, long peakBytes) {}

  private static ModelConfig config(ModelKind kind) {
    return new ModelConfig(
        kind,
        List.of(Op.SPMM),
        8,
        TokenForm.NORMALIZED,
        true,
        1,
        FeatureAt.TOKEN,
        new ModelConfig.Head(32, 16, 2, 32));
  }

  private static CostModel model(ModelKind kind, Device device) {
    ModelStatistics none = ModelStatistics.fit(consumer -> {}, List.of(), 0);
    return CostModels.create(config(kind), none, device.root(), 3);
  }

  /** Rows of a few clustered columns each; some rows are empty. */
  static Sites.Pattern pattern(int rows, int columns, double perRow, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] pointers = new long[rows + 1];
    List<Integer> all = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      TreeSet<Integer> chosen = new TreeSet<>();
      int count = random.nextInt((int) (2 * perRow) + 1);
      for (int i = 0; i < count; i++) {
        int middle = (int) ((long) row * columns / rows);
        chosen.add(Math.floorMod(middle + random.nextInt(9) - 4, columns));
      }
      all.addAll(chosen);
      pointers[row + 1] = all.size();
    }
    return new Sites.Pattern(
        rows, columns, pointers, all.stream().mapToInt(Integer::intValue).toArray());
  }

  private static Outcome run(ModelKind kind, List<Sites.Pattern> batch, TowerStrategy strategy) {
    return run(
        kind,
        batch,
        strategy,
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY).withThreads(2)));
  }

  /** Takes the device over: it is closed with the pass. */
  private static Outcome run(
      ModelKind kind, List<Sites.Pattern> batch, TowerStrategy strategy, Device opened) {
    try (Device device = opened;
        CostModel model = model(kind, device);
        PatternPyramid pyramid =
            new PatternPyramid(device.root(), batch.toArray(Sites.Pattern[]::new))) {
      long before = device.allocator().liveBytes();
      TowerPass pass =
          TowerPass.of(strategy, model.tower().orElseThrow(), device.root(), batch, () -> pyramid);
      double[] features;
      try (Tape tape = Tape.recording(device.root(), 1)) {
        Variable y = model.pattern(tape, pass.pooled(tape));
        features = y.value().toDoubles();
        SplittableRandom random = new SplittableRandom(5);
        tape.gradient(y, g -> g.setDoubles(random.doubles(features.length, -1, 1).toArray()));
        tape.backward();
        pass.finish();
      }
      if (strategy instanceof Strips) {
        assertEquals(before, device.allocator().liveBytes());
      }
      return new Outcome(
          features,
          model.parameters().gradients().stream().map(Tensor::toDoubles).toList(),
          device.ledger().peakBytes());
    }
  }

  private static void assertNear(double[] expected, double[] actual, String what) {
    assertNear(expected, actual, TOLERANCE, what);
  }

  private static void assertNear(
      double[] expected, double[] actual, double tolerance, String what) {
    double scale = 1e-3;
    for (double value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance * scale, what + " " + i);
    }
  }

  private static void assertSameBits(Outcome expected, Outcome actual) {
    assertArrayEquals(expected.features, actual.features);
    for (int p = 0; p < expected.gradients.size(); p++) {
      assertArrayEquals(expected.gradients.get(p), actual.gradients.get(p), "parameter " + p);
    }
  }

  private static void assertStrips(
      ModelKind kind, List<Sites.Pattern> batch, long sites, int least) {
    try (Device device =
            HostDevice.cpu(HostDevice.Options.defaults().withCapacity(1L << 26).withThreads(1));
        CostModel model = model(kind, device)) {
      List<Strip> strips = Strip.of(batch, model.tower().orElseThrow(), sites);
      assertTrue(strips.size() >= least, strips.size() + " strips");
      long row = 0;
      int matrix = 0;
      for (Strip strip : strips) {
        if (strip.matrix() != matrix) {
          assertEquals(batch.get(matrix).rows(), row);
          matrix++;
          row = 0;
        }
        assertEquals(row, strip.firstOwned());
        assertTrue(strip.firstRow() <= row && strip.endOwned() <= strip.endRow(), "" + strip);
        row = strip.endOwned();
      }
      assertEquals(batch.get(matrix).rows(), row);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "AUTOSPARSE_LAST"})
  void stripsOfTheAutoSparseTower(ModelKind kind) {
    List<Sites.Pattern> batch = List.of(pattern(1500, 900, 4, 1), pattern(611, 2000, 3, 2));
    assertStrips(kind, batch, 2000, 5);
    Outcome whole = run(kind, batch, TowerStrategy.KEEP_ALL);
    assertStripsEqual(kind, batch, whole, 2000);
    assertStripsEqual(kind, batch, whole, 1); // the fewest rows that can be owned
    assertStripsEqual(kind, batch, whole, 1L << 40); // a strip a matrix
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"WACO", "WACO_WIDE"})
  void stripsOfTheWacoTower(ModelKind kind) {
    List<Sites.Pattern> batch = List.of(pattern(60_000, 60_000, 1, 3));
    assertStrips(kind, batch, 40_000, 3);
    Outcome whole = run(kind, batch, TowerStrategy.KEEP_ALL);
    assertStripsEqual(kind, batch, whole, 40_000);
  }

  private static void assertStripsEqual(
      ModelKind kind, List<Sites.Pattern> batch, Outcome whole, long sites) {
    Outcome strips = run(kind, batch, new Strips(sites));
    // Not to the bit, as on a GPU: OpenBLAS rounds a row by its place in the product.
    assertNear(whole.features, strips.features, "feature");
    for (int p = 0; p < whole.gradients.size(); p++) {
      assertNear(whole.gradients.get(p), strips.gradients.get(p), "gradient of " + p + ":");
    }
    assertSameBits(strips, run(kind, batch, new Strips(sites)));
  }

  @Test
  void stripsOfMatricesWithoutSitesOrRows() {
    List<Sites.Pattern> batch =
        List.of(
            new Sites.Pattern(300, 10, new long[301], new int[0]),
            new Sites.Pattern(0, 5, new long[1], new int[0]),
            new Sites.Pattern(1, 1, new long[] {0, 1}, new int[] {0}),
            pattern(400, 400, 2, 7));
    Outcome whole = run(ModelKind.AUTOSPARSE, batch, TowerStrategy.KEEP_ALL);
    assertStripsEqual(ModelKind.AUTOSPARSE, batch, whole, 500);
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"FEATURES_MLP", "WORK_MLP"},
      mode = EnumSource.Mode.EXCLUDE)
  void checkpointsGiveTheSameBits(ModelKind kind) {
    List<Sites.Pattern> batch = List.of(pattern(4000, 3000, 6, 1), pattern(50, 50, 3, 2));
    Outcome whole = run(kind, batch, TowerStrategy.KEEP_ALL);
    for (List<ChainPart> parts : chains(kind)) {
      Outcome again = run(kind, batch, new Checkpoints(parts));
      assertSameBits(whole, again);
      // WACO's first two layers are most of its memory, computed again or not.
      boolean fewer = kind == ModelKind.AUTOSPARSE || kind == ModelKind.AUTOSPARSE_LAST;
      assertTrue(
          fewer ? again.peakBytes < whole.peakBytes : again.peakBytes <= whole.peakBytes,
          ChainPart.text(parts) + ": " + again.peakBytes + " of " + whole.peakBytes);
    }
  }

  static Stream<Arguments> towersAndPrecisions() {
    return Stream.of(ModelKind.values())
        .filter(kind -> kind != ModelKind.FEATURES_MLP && kind != ModelKind.WORK_MLP)
        .flatMap(kind -> Stream.of(Precision.values()).map(p -> Arguments.of(kind, p)));
  }

  /**
   * Strips round the parts of a gradient where the whole is rounded once: a unit for each of the 14
   * layers on the way and its weights, as random as roundings are.
   */
  private static double tolerance(Precision precision) {
    double unit =
        switch (precision) {
          case FP32 -> 0;
          case TF32 -> 0x1p-11;
          case BF16 -> BFloat16.EPSILON / 2;
        };
    return Math.max(TOLERANCE, Math.sqrt(2 * 14) * unit);
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("towersAndPrecisions")
  void onAGpuToo(ModelKind kind, Precision precision) {
    GpuTests.require();
    boolean waco = kind == ModelKind.WACO || kind == ModelKind.WACO_WIDE;
    List<Sites.Pattern> batch =
        waco
            ? List.of(pattern(60_000, 60_000, 1, 3))
            : List.of(pattern(1500, 900, 4, 1), pattern(611, 2000, 3, 2));
    Supplier<Device> cuda =
        () ->
            CudaDevice.open(
                CudaDevice.Options.of(0)
                    .withCapacity(CAPACITY)
                    .withGuards()
                    .withPrecision(precision));
    Outcome whole = run(kind, batch, TowerStrategy.KEEP_ALL, cuda.get());
    for (List<ChainPart> parts : chains(kind)) {
      assertSameBits(whole, run(kind, batch, new Checkpoints(parts), cuda.get()));
    }
    double tolerance = tolerance(precision);
    for (long sites : waco ? new long[] {40_000} : new long[] {2000, 1}) {
      Outcome strips = run(kind, batch, new Strips(sites), cuda.get());
      assertArrayEquals(whole.features, strips.features, "features");
      for (int p = 0; p < whole.gradients.size(); p++) {
        assertNear(
            whole.gradients.get(p), strips.gradients.get(p), tolerance, "gradient of " + p + ":");
      }
      assertSameBits(strips, run(kind, batch, new Strips(sites), cuda.get()));
    }
  }

  /** Runs at the start, at the end, and one inside another. */
  private static List<List<ChainPart>> chains(ModelKind kind) {
    int layers = kind == ModelKind.AUTOSPARSE || kind == ModelKind.AUTOSPARSE_LAST ? 13 : 14;
    List<ChainPart> kept = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      kept.add(ChainPart.kept(layer));
    }
    List<ChainPart> start = new ArrayList<>();
    start.add(ChainPart.again(kept.subList(0, 4)));
    start.addAll(kept.subList(4, layers));
    List<ChainPart> nested = new ArrayList<>();
    List<ChainPart> inner = new ArrayList<>();
    inner.add(ChainPart.again(kept.subList(0, 3)));
    inner.addAll(kept.subList(3, 6));
    nested.add(ChainPart.again(inner));
    nested.add(ChainPart.again(kept.subList(6, layers)));
    return List.of(start, nested);
  }
}
