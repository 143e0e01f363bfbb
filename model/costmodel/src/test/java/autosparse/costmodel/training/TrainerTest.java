package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.layers.RankingLoss;
import autosparse.layers.StateDict;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
  @TempDir static Path folder;
  private static TrainingData data;

  @BeforeAll
  static void write() throws IOException {
    data = TinyTraining.data(folder);
  }

  private static TinyTraining training(ModelKind kind, int matricesPerStep, int threads) {
    return new TinyTraining(
        data, TinyTraining.model(kind), TinyTraining.config(6, matricesPerStep), threads);
  }

  /** Loss and pair accuracy on the training schedules themselves. */
  private static double[] judge(TinyTraining training) {
    List<TaskData> swapped =
        data.tasks().stream()
            .map(t -> new TaskData(t.task(), t.problem(), t.matrix(), new int[0], t.train()))
            .toList();
    Evaluation evaluation =
        new Evaluator(
                training.device,
                training.model,
                new TrainingData(swapped, data.patterns(), data.split()),
                training.encoded,
                training.passes(),
                RankingLoss.LAMBDARANK,
                64)
            .evaluate(false);
    return new double[] {
      evaluation.loss(),
      evaluation.mean(Evaluation.TaskEvaluation::model, RankingMetrics::pairAccuracy)
    };
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"WACO"},
      mode = EnumSource.Mode.EXCLUDE)
  void learnsItsTrainingData(ModelKind kind) {
    try (TinyTraining training =
        new TinyTraining(data, TinyTraining.model(kind), TinyTraining.config(15, 1), 2)) {
      double[] before = judge(training);
      while (!training.trainer.isDone()) {
        StepResult result = training.trainer.next();
        assertTrue(Double.isFinite(result.loss()) && result.gradientNorm() > 0, result.toString());
      }
      double[] after = judge(training);
      assertTrue(after[0] < 0.8 * before[0], "loss " + before[0] + " to " + after[0]);
      assertTrue(after[1] > 0.75, "pair accuracy " + before[1] + " to " + after[1]);
      assertEquals(15, training.trainer.epoch());
      assertTrue(training.trainer.atEpochEnd());
    }
  }

  @Test
  void wacoLearnsItsTrainingData() {
    List<TaskData> spmm =
        data.tasks().stream().filter(task -> task.task().op() == Op.SPMM).toList();
    TrainingData one = new TrainingData(spmm, data.patterns(), data.split());
    ModelConfig like = TinyTraining.model(ModelKind.AUTOSPARSE);
    ModelConfig config =
        new ModelConfig(
            ModelKind.WACO,
            List.of(Op.SPMM),
            4,
            like.tokens(),
            true,
            1,
            like.featureAt(),
            like.head());
    try (TinyTraining training = new TinyTraining(one, config, TinyTraining.config(20, 3), 2)) {
      double first = training.trainer.next().loss();
      double last = first;
      while (!training.trainer.isDone()) {
        last = training.trainer.next().loss();
      }
      assertTrue(last < 0.8 * first, first + " to " + last);
    }
  }

  @Test
  void resultsWaitInOrderUntilTheyAreAskedFor() {
    ModelConfig model = TinyTraining.model(ModelKind.FEATURES_MLP);
    try (TinyTraining asking = new TinyTraining(data, model, TinyTraining.config(9, 1), 1);
        TinyTraining late = new TinyTraining(data, model, TinyTraining.config(9, 1), 1)) {
      List<StepResult> expected = new ArrayList<>();
      int steps = (int) asking.trainer.totalSteps();
      assertTrue(steps > StepResults.CAPACITY, steps + " steps: more than stay on the device");
      for (int step = 1; step <= steps; step++) {
        StepResult result = asking.trainer.next();
        assertEquals(step, result.step());
        assertEquals(asking.trainer.epoch(), result.epoch());
        assertEquals(step / asking.trainer.stepsPerEpoch(), result.epoch());
        expected.add(result);
      }
      late.run(3);
      StepResult fourth = late.trainer.next();
      assertEquals(expected.get(3), fourth);
      assertEquals(expected.subList(0, 3), late.trainer.results(), "those before are not lost");
      late.run(steps - 4);
      assertEquals(expected.subList(4, steps), late.trainer.results());
      assertEquals(List.of(), late.trainer.results());
    }
  }

  @Test
  void oneSeedGivesOneRun() {
    Map<String, Integer> first;
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 2)) {
      training.run(15);
      first = training.bits();
    }
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 2)) {
      assertNotEquals(first, training.bits());
      training.run(15);
      assertEquals(first, training.bits());
    }
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 1)) {
      training.run(15);
      assertEquals(first, training.bits(), "one thread instead of two");
    }
  }

  private static Map<String, double[]> values(StateDict state) {
    Map<String, double[]> values = new LinkedHashMap<>();
    state.tensors().forEach((name, tensor) -> values.put(name, tensor.toDoubles()));
    return values;
  }

  private static void assertSame(Map<String, double[]> expected, StateDict state, String prefix) {
    expected.forEach(
        (name, values) ->
            assertArrayEquals(values, state.tensors().get(prefix + name).toDoubles(), name));
  }

  @Test
  void aRunIsJudgedByItsAveragedWeightsAndTrainsAsIfThereWereNone() {
    int epochs = 3;
    double ema = 0.2;
    ModelConfig model = TinyTraining.model(ModelKind.AUTOSPARSE);
    try (TinyTraining averaged =
            new TinyTraining(
                data, model, TinyTraining.config(RankingLoss.LAMBDARANK, epochs, 1, 3e-3, ema), 2);
        TinyTraining plain =
            new TinyTraining(
                data, model, TinyTraining.config(RankingLoss.LAMBDARANK, epochs, 1, 3e-3, 0), 2)) {
      double horizon = ema * averaged.trainer.totalSteps();
      Map<String, double[]> sums = new LinkedHashMap<>();
      double shares = 0;
      while (!averaged.trainer.isDone()) {
        plain.trainer.next();
        averaged.trainer.next();
        double share = Math.exp(averaged.trainer.step() / horizon);
        shares += share;
        values(plain.model.parameters().stateDict())
            .forEach(
                (name, values) -> {
                  double[] sum = sums.computeIfAbsent(name, none -> new double[values.length]);
                  for (int i = 0; i < sum.length; i++) {
                    sum[i] += share * values[i];
                  }
                });
      }
      Map<String, double[]> weights = values(plain.trainer.stateDict());
      weights.keySet().removeIf(name -> name.startsWith(ModelFile.OPTIMIZER));
      StateDict state = averaged.trainer.stateDict();
      assertSame(weights, state, "optimizer.weights.");
      assertSame(weights, averaged.model.parameters().stateDict(), "");
      for (Map.Entry<String, double[]> sum : sums.entrySet()) {
        double[] average = sum.getValue();
        for (int i = 0; i < average.length; i++) {
          average[i] /= shares;
        }
        String name = sum.getKey();
        assertArrayEquals(average, state.tensors().get(name).toDoubles(), 1e-6, name);
      }
      Map<String, double[]> saved = values(state);
      double[] judged =
          averaged.trainer.judged(
              () -> {
                Map<String, double[]> seen = values(averaged.model.parameters().stateDict());
                seen.forEach((name, values) -> assertArrayEquals(saved.get(name), values, name));
                return judge(averaged);
              });
      assertSame(weights, averaged.model.parameters().stateDict(), "");
      assertNotEquals(judge(averaged)[0], judged[0]);
      assertEquals(judge(plain)[0], plain.trainer.judged(() -> judge(plain))[0]);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "FEATURES_MLP"})
  void resumedIsUninterrupted(ModelKind kind) {
    Map<Long, Map<String, double[]>> saved = new HashMap<>();
    Map<String, Integer> end;
    long perEpoch;
    long last;
    try (TinyTraining training = training(kind, 2, 2)) {
      perEpoch = training.trainer.stepsPerEpoch();
      last = 2 * perEpoch + 1;
      for (long step = 0; step < last; step++) {
        saved.put(step, values(training.trainer.stateDict()));
        training.trainer.next();
      }
      end = training.bits();
    }
    assertTrue(perEpoch >= 4, perEpoch + " steps an epoch");
    for (long step : new long[] {0, 1, perEpoch - 1, perEpoch, perEpoch + 2, last - 1}) {
      try (TinyTraining training = training(kind, 2, 1)) {
        training
            .trainer
            .stateDict()
            .tensors()
            .forEach((name, tensor) -> tensor.setDoubles(saved.get(step).get(name)));
        training.trainer.resumeAt(step);
        assertEquals(step, training.trainer.step());
        training.run(last - step);
        assertEquals(end, training.bits(), "resumed at step " + step + " of " + last);
      }
    }
  }

  @Test
  void refusesAStepThatIsNone() {
    try (TinyTraining training = training(ModelKind.FEATURES_MLP, 1, 1)) {
      long total = training.trainer.totalSteps();
      assertThrows(InputException.class, () -> training.trainer.resumeAt(-1));
      assertThrows(InputException.class, () -> training.trainer.resumeAt(total + 1));
      training.trainer.resumeAt(total);
      assertTrue(training.trainer.isDone());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "FEATURES_MLP"})
  void everyStepGivesItsMemoryBack(ModelKind kind) {
    try (TinyTraining training =
        new TinyTraining(data, TinyTraining.model(kind), TinyTraining.config(20, 1), 2)) {
      training.run(training.trainer.stepsPerEpoch());
      long baseline = training.device.ledger().liveBytes();
      long peak = training.device.ledger().peakBytes();
      for (int step = 0; step < 50; step++) {
        training.trainer.next();
        assertEquals(baseline, training.device.ledger().liveBytes(), "after step " + step);
      }
      judge(training);
      assertEquals(baseline, training.device.ledger().liveBytes(), "after an evaluation");
      assertTrue(peak > baseline);
    }
  }

  @Test
  void pyramidsLeaveTheCacheInTheOrderOfTheirLastUse() {
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 1)) {
      long before = training.device.ledger().liveBytes();
      try (PyramidCache cache =
          new PyramidCache(training.device.root(), data.patterns(), 1L << 28)) {
        var first = cache.get(List.of(0));
        var second = cache.get(List.of(1));
        assertEquals(first, cache.get(List.of(0)), "kept");
        assertEquals(second, cache.get(List.of(1)), "kept");
        assertNotEquals(first, cache.get(List.of(0, 1)), "a batch is another pyramid");
        cache.trim();
        assertEquals(first, cache.get(List.of(0)), "within the budget");
      }
      assertEquals(before, training.device.ledger().liveBytes());
      long one;
      try (PyramidCache cache =
          new PyramidCache(training.device.root(), data.patterns(), 1L << 28)) {
        one = Math.max(cache.get(List.of(0)).bytes(), cache.get(List.of(1)).bytes());
      }
      long two = 2 * one + 64;
      try (PyramidCache cache = new PyramidCache(training.device.root(), data.patterns(), two)) {
        var first = cache.get(List.of(0));
        var second = cache.get(List.of(1));
        assertEquals(first, cache.get(List.of(0)));
        cache.get(List.of(2)); // now there are more bytes than the budget; the next call trims
        assertTrue(training.device.ledger().liveBytes() > before + two);
        assertEquals(first, cache.get(List.of(0)), "used more recently than the second");
        assertNotEquals(second, cache.get(List.of(1)), "made anew");
      }
      try (PyramidCache cache = new PyramidCache(training.device.root(), data.patterns(), 0)) {
        var first = cache.get(List.of(0));
        assertTrue(first.bytes() > 0, "the one in use may exceed the budget");
        cache.trim();
        assertEquals(before, training.device.ledger().liveBytes());
      }
      assertEquals(before, training.device.ledger().liveBytes());
    }
  }

  @Test
  void aTightBudgetChangesNoBit() {
    Map<String, Integer> roomy;
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 1)) {
      training.run(8);
      roomy = training.bits();
    }
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 1);
        PyramidCache none = new PyramidCache(training.device.root(), data.patterns(), 0);
        Trainer trainer =
            new Trainer(
                training.model,
                data,
                training.encoded,
                TinyTraining.config(6, 1),
                none,
                training.device.root())) {
      for (int step = 0; step < 8; step++) {
        trainer.next();
      }
      trainer
          .stateDict()
          .tensors()
          .forEach(
              (name, tensor) ->
                  training.trainer.stateDict().tensors().get(name).setDoubles(tensor.toDoubles()));
      assertEquals(roomy, training.bits());
    }
  }

  @Test
  void aNetworkThatIgnoresPatternsIsItsOwnBlindBaseline() {
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1, 2)) {
      training.run(10);
      Evaluator evaluator = training.evaluator();
      double[] own = evaluator.scores(training.encoded.get(0), 0, data.tasks().get(0).train());
      double[] other = evaluator.scores(training.encoded.get(0), 1, data.tasks().get(0).train());
      assertTrue(!java.util.Arrays.equals(own, other), "it sees patterns");
      for (String name : List.of("pattern.features.weight", "pattern.features.bias")) {
        var parameter = training.model.parameters().byName().get(name);
        training.device.operators().elementwise().fill(parameter.value(), 0);
      }
      Evaluation evaluation = evaluator.evaluate(true);
      assertEquals(data.tasks().size(), evaluation.tasks().size());
      for (Evaluation.TaskEvaluation task : evaluation.tasks()) {
        assertEquals(task.model(), task.blind());
        assertTrue(task.model().topOne() > 0 && task.model().topOne() <= 1);
      }
      assertEquals(null, evaluator.evaluate(false).tasks().get(0).blind());
    }
  }

  /** Distinct JDKs that are installed, by the version that their release file states. */
  private static Map<String, Path> jdks() throws IOException {
    Map<String, Path> found = new LinkedHashMap<>();
    Path home = Path.of("/usr/lib/jvm");
    if (Files.isDirectory(home)) {
      try (Stream<Path> folders = Files.list(home)) {
        for (Path jdk : folders.sorted().toList()) {
          Path release = jdk.resolve("release");
          if (Files.isExecutable(jdk.resolve("bin/java")) && Files.exists(release)) {
            Files.readAllLines(release).stream()
                .filter(line -> line.startsWith("JAVA_VERSION="))
                .findFirst()
                .ifPresent(version -> found.putIfAbsent(version, jdk.resolve("bin/java")));
          }
        }
      }
    }
    return found;
  }

  @Test
  void everyJdkReachesTheSameWeights(@TempDir Path temporary) throws Exception {
    Map<String, Path> jdks = jdks();
    String reason = "skipped: one JDK of two or more found under /usr/lib/jvm: " + jdks.keySet();
    if (jdks.size() < 2) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(jdks.size() >= 2, reason);
    Map<String, String> weights = new LinkedHashMap<>();
    for (Map.Entry<String, Path> jdk : jdks.entrySet()) {
      Path out = temporary.resolve("out");
      Process process =
          new ProcessBuilder(
                  jdk.getValue().toString(),
                  "-Xmx512m",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  TinyTraining.class.getName(),
                  temporary.resolve("data").toString())
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
      assertEquals(0, process.waitFor(), () -> read(out));
      weights.put(
          jdk.getKey(),
          read(out).lines().filter(line -> line.startsWith("weights ")).findFirst().orElseThrow());
    }
    assertEquals(1, weights.values().stream().distinct().count(), weights.toString());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
