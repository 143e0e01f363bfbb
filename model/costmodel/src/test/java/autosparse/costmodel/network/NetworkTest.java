package autosparse.costmodel.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.GradientCheck;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.tokens.Bins;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.costmodel.tokens.WorkFeatures;
import autosparse.engine.HostDevice;
import autosparse.engine.RandomStream;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class NetworkTest {
  private static final ModelConfig.Head HEAD = new ModelConfig.Head(8, 8, 2, 8);
  private static final int SCHEDULES = 6;

  private static ModelConfig config(
      ModelKind kind, TokenForm form, int attentionLayers, FeatureAt place) {
    return new ModelConfig(
        kind,
        kind == ModelKind.WACO ? List.of(Op.SPMM) : List.of(Op.SPMM, Op.SDDMM),
        // One channel inside the HDC blocks dies too easily where nothing goes around them.
        kind == ModelKind.AUTOSPARSE_LAST ? 16 : 4,
        form,
        form == TokenForm.NORMALIZED,
        attentionLayers,
        place,
        HEAD);
  }

  /** Every kind; the kinds with the token head in all its forms. */
  static Stream<ModelConfig> configs() {
    List<ModelConfig> configs = new ArrayList<>();
    for (ModelKind kind : ModelKind.values()) {
      if (kind.hasTokenHead()) {
        for (FeatureAt place : FeatureAt.values()) {
          for (int layers = 1; layers <= 2; layers++) {
            configs.add(config(kind, TokenForm.NORMALIZED, layers, place));
          }
        }
      } else {
        configs.add(config(kind, TokenForm.NORMALIZED, 1, FeatureAt.TOKEN));
      }
    }
    configs.add(config(ModelKind.AUTOSPARSE, TokenForm.PUBLISHED, 2, FeatureAt.CONCAT));
    configs.add(
        config(ModelKind.AUTOSPARSE, TokenForm.NORMALIZED, 1, FeatureAt.TOKEN)
            .withWorkFeatures()
            .withFeatureBins(3));
    configs.add(
        config(ModelKind.WORK_MLP, TokenForm.NORMALIZED, 1, FeatureAt.TOKEN).withFeatureBins(3));
    return configs.stream();
  }

  /** Each kind with each place of the features and with one and two attention layers. */
  static Stream<ModelConfig> configsOfGradients() {
    return configs()
        .filter(
            config ->
                !config.kind().hasTokenHead()
                    || config.tokens() == TokenForm.PUBLISHED
                    || (config.featureAt() == FeatureAt.TOKEN) == (config.attentionLayers() == 1));
  }

  private static HostDevice cpu() {
    return HostDevice.cpu(HostDevice.Options.defaults().withThreads(2).withGuards());
  }

  private static HostDevice reference() {
    return HostDevice.reference(HostDevice.Options.defaults());
  }

  /** Bins for every third feature. */
  private static Bins bins(int features) {
    float[][] edges = new float[features][0];
    for (int f = 0; f < features; f += 3) {
      edges[f] = new float[] {0, 0.1f, 0.2f, 0.4f};
    }
    return new Bins(edges);
  }

  /** A network with two matrices and a task on each. */
  private static final class Bench implements AutoCloseable {
    private final HostDevice device;
    private final CostModel model;
    private final List<SparsityPattern> patterns =
        List.of(SyntheticData.pattern("m0", 9, 11, 3, 5), SyntheticData.pattern("m1", 20, 6, 2, 6));
    private final List<EncodedTask> tasks = new ArrayList<>();

    Bench(HostDevice device, ModelConfig config) {
      this.device = device;
      float[] half = new float[DerivedFeatures.COUNT];
      java.util.Arrays.fill(half, 0.5f);
      // Shapes as large as a matrix's rows would drown everything else in the published form.
      Scaling shape = new Scaling(new float[4], new float[] {0.1f, 0.1f, 0.02f, 1});
      ModelStatistics statistics =
          new ModelStatistics(
              new Scaling(new float[DerivedFeatures.COUNT], half),
              shape,
              List.of("m0"),
              new Scaling(
                  new float[WorkFeatures.COUNT], java.util.Arrays.copyOf(half, WorkFeatures.COUNT)),
              bins(DerivedFeatures.COUNT),
              bins(WorkFeatures.COUNT));
      model = CostModels.create(config, statistics, device.root(), 11);
      for (int m = 0; m < patterns.size(); m++) {
        Op op = config.ops().get(Math.min(m, config.ops().size() - 1));
        Problem problem = Problem.of(op, patterns.get(m));
        tasks.add(
            model.encode(
                patterns.get(m), problem, SyntheticData.schedules(problem, SCHEDULES, 20 + m)));
      }
    }

    /** Larger weights than a fresh network has: without them most gradients are next to nothing. */
    void shakeUp() {
      model
          .parameters()
          .byName()
          .forEach(
              (name, parameter) -> {
                RandomStream random = RandomStream.named(3, name);
                double[] values = parameter.value().toDoubles();
                long fanIn = Math.max(1, parameter.value().elements() / parameter.value().dim(0));
                double deviation = name.endsWith("gamma") ? 0.3 : 1 / Math.sqrt((double) fanIn);
                for (int i = 0; i < values.length; i++) {
                  values[i] += deviation * random.nextGaussian();
                }
                parameter.value().setDoubles(values);
              });
    }

    PatternPyramid pyramid(int... matrices) {
      Sites.Pattern[] batch = new Sites.Pattern[matrices.length];
      for (int b = 0; b < batch.length; b++) {
        SparsityPattern pattern = patterns.get(matrices[b]);
        batch[b] =
            new Sites.Pattern(
                pattern.rows(), pattern.cols(), pattern.rowPointers(), pattern.columns());
      }
      return new PatternPyramid(device.root(), batch);
    }

    double[] scores(boolean recording, int[] matrices, Selection... selections) {
      try (PatternPyramid pyramid = pyramid(matrices);
          Tape tape =
              recording ? Tape.recording(device.root(), 1) : Tape.inference(device.root())) {
        Variable pattern = model.pattern(tape, model.readsPattern() ? pyramid : null);
        return model.scores(tape, pattern, List.of(selections)).value().toDoubles();
      }
    }

    /** Scores of schedules of one task, alone in the step with its matrix. */
    double[] alone(int task, int... indices) {
      return scores(false, new int[] {task}, new Selection(tasks.get(task), 0, indices));
    }

    @Override
    public void close() {
      model.close();
      assertEquals(0, device.ledger().liveBytes(), "bytes left behind");
      device.close();
    }
  }

  private static int[] all() {
    return IntStream.range(0, SCHEDULES).toArray();
  }

  @ParameterizedTest
  @MethodSource("configsOfGradients")
  void gradientsAgreeWithDifferences(ModelConfig config) {
    try (Bench bench = new Bench(reference(), config)) {
      bench.shakeUp();
      boolean features = config.kind() == ModelKind.FEATURES_MLP;
      boolean mlp = features || config.kind() == ModelKind.WORK_MLP;
      List<Variable> leaves = new ArrayList<>();
      bench
          .model
          .parameters()
          .byName()
          .forEach(
              (name, parameter) -> {
                // A baseline's width is fixed and its four blocks are alike: one will do.
                if (!mlp || !name.matches("block\\.[123]\\..*")) {
                  leaves.add(parameter);
                }
              });
      try (PatternPyramid pyramid = bench.pyramid(0, 1)) {
        double error =
            GradientCheck.worstErrorOfLeaves(
                bench.device,
                leaves,
                5,
                (tape, unused) -> {
                  Variable pattern = bench.model.pattern(tape, pyramid);
                  Selection first = new Selection(bench.tasks.get(0), 0, new int[] {0});
                  Selection second = new Selection(bench.tasks.get(1), 1, new int[] {2, 1});
                  return List.of(
                      bench.model.scores(
                          tape, pattern, features ? List.of(first) : List.of(first, second)));
                });
        assertTrue(error < 1e-5, "worst relative error " + error);
        double largest = 0;
        for (double gradient : leaves.get(0).gradient().toDoubles()) {
          largest = Math.max(largest, Math.abs(gradient));
        }
        assertTrue(largest > 0, "nothing reaches the first layer");
      }
    }
  }

  private static void checkIndependence(HostDevice device, ModelConfig config, double tolerance) {
    try (Bench bench = new Bench(device, config)) {
      double[] all = bench.alone(0, all());
      for (int s = 0; s < SCHEDULES; s++) {
        assertEquals(all[s], bench.alone(0, s)[0], tolerance, "alone");
      }
      double[] mixed = bench.alone(0, 4, 0, 4, 2);
      assertArrayEquals(new double[] {all[4], all[0], all[4], all[2]}, mixed, tolerance, "order");
      double[] second = bench.alone(1, all());
      double[] both =
          bench.scores(
              false,
              new int[] {0, 1},
              new Selection(bench.tasks.get(1), 1, new int[] {3, 5}),
              new Selection(bench.tasks.get(0), 0, new int[] {1, 0}),
              new Selection(bench.tasks.get(1), 1, new int[] {0}));
      double[] expected = {second[3], second[5], all[1], all[0], second[0]};
      assertArrayEquals(expected, both, tolerance, "two matrices in one step");
      assertNotEquals(all[0], all[1], "schedules are told apart");
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void scoresDoNotDependOnTheRestOfTheStep(ModelConfig config) {
    checkIndependence(reference(), config, 1e-12);
    checkIndependence(cpu(), config, 2e-5);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void recordingChangesNoScore(ModelConfig config) {
    if (config.kind() == ModelKind.FEATURES_MLP || config.kind() == ModelKind.WORK_MLP) {
      return; // drops out while it trains
    }
    try (Bench bench = new Bench(cpu(), config)) {
      Selection[] selections = {
        new Selection(bench.tasks.get(0), 0, all()), new Selection(bench.tasks.get(1), 1, all())
      };
      int[] matrices = {0, 1};
      assertArrayEquals(
          bench.scores(false, matrices, selections), bench.scores(true, matrices, selections));
    }
  }

  @Test
  void theBaselineDropsOutOnlyWhileItTrains() {
    try (Bench bench =
        new Bench(
            cpu(), config(ModelKind.FEATURES_MLP, TokenForm.NORMALIZED, 1, FeatureAt.TOKEN))) {
      Selection selection = new Selection(bench.tasks.get(0), 0, all());
      double[] inference = bench.scores(false, new int[] {0}, selection);
      assertArrayEquals(inference, bench.scores(false, new int[] {0}, selection));
      double[] training = bench.scores(true, new int[] {0}, selection);
      assertTrue(!java.util.Arrays.equals(inference, training));
      assertArrayEquals(training, bench.scores(true, new int[] {0}, selection), "same seed");
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void onlyTowersSeeThePattern(ModelConfig config) {
    try (Bench bench = new Bench(cpu(), config)) {
      Selection selection = new Selection(bench.tasks.get(0), 0, all());
      double[] own = bench.scores(false, new int[] {0}, selection);
      double[] other = bench.scores(false, new int[] {1}, selection);
      assertEquals(
          bench.model.readsPattern(), !java.util.Arrays.equals(own, other), config.toString());
      try (PatternPyramid pyramid = bench.pyramid(0)) {
        assertEquals(bench.model.readsPattern(), bench.model.towerMultiplyAdds(pyramid) > 0);
      }
    }
  }

  /** Beside the tower, or without one, work features tell patterns of one shape apart. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "FEATURES_MLP", "WORK_MLP"})
  void workFeaturesSeeThePattern(ModelKind kind) {
    for (boolean work : new boolean[] {false, true}) {
      ModelConfig config = config(kind, TokenForm.NORMALIZED, 1, FeatureAt.TOKEN);
      try (Bench bench = new Bench(cpu(), work ? config.withWorkFeatures() : config)) {
        SparsityPattern first = SyntheticData.pattern("x", 9, 11, 3, 5);
        SparsityPattern second = SyntheticData.pattern("y", 9, 11, 5, 8);
        Problem problem = Problem.of(Op.SPMM, first);
        List<Schedule> schedules = SyntheticData.schedules(problem, SCHEDULES, 20);
        EncodedTask one = bench.model.encode(first, problem, schedules);
        EncodedTask other = bench.model.encode(second, problem, schedules);
        double[] own = bench.scores(false, new int[] {0}, new Selection(one, 0, all()));
        double[] theirs = bench.scores(false, new int[] {0}, new Selection(other, 0, all()));
        boolean sees = kind == ModelKind.WORK_MLP || (work && kind.hasTokenHead());
        assertEquals(sees, !java.util.Arrays.equals(own, theirs), config.toString());
      }
    }
  }
}
