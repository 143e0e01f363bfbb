package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.network.BatchArrays;
import autosparse.costmodel.network.FixedHead;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.RankingLoss;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The head as a piece of work of its own computes what it computes on the step's tape. */
class HeadStepTest {
  /** Small enough that rounding stays rounding, see {@link CudaTrainingTest}. */
  private static final double RATE = 1e-4;

  @TempDir static Path folder;
  private static TrainingData data;

  @BeforeAll
  static void write() throws IOException {
    data = TinyTraining.data(folder);
  }

  static List<ModelConfig> heads() {
    ModelConfig token = TinyTraining.model(ModelKind.AUTOSPARSE);
    ModelConfig concat =
        new ModelConfig(
            ModelKind.AUTOSPARSE_LAST,
            token.ops(),
            4,
            token.tokens(),
            true,
            2,
            FeatureAt.CONCAT,
            token.head());
    ModelConfig waco =
        new ModelConfig(
            ModelKind.WACO,
            List.of(Op.SPMM),
            4,
            token.tokens(),
            true,
            1,
            token.featureAt(),
            token.head());
    return List.of(token, concat, waco);
  }

  private static TrainingData dataOf(ModelConfig config) {
    return new TrainingData(
        data.tasks().stream().filter(t -> config.ops().contains(t.task().op())).toList(),
        data.patterns(),
        data.split());
  }

  private static TinyTraining training(ModelConfig config, boolean replays) {
    HostDevice.Options options = HostDevice.Options.defaults().withCapacity(1L << 30);
    return new TinyTraining(
        dataOf(config),
        config,
        TinyTraining.config(6, 2, RATE),
        HostDevice.cpu(options.withThreads(2).withGuards()),
        replays);
  }

  @ParameterizedTest
  @MethodSource("heads")
  void stepsAreThoseOfTheTape(ModelConfig config) {
    List<StepResult> results;
    Map<String, Integer> bits;
    try (TinyTraining training = training(config, false)) {
      training.run(12);
      results = training.trainer.results();
      bits = training.bits();
    }
    try (TinyTraining training = training(config, true)) {
      training.run(12);
      List<StepResult> replayed = training.trainer.results();
      for (int step = 0; step < 12; step++) {
        // Unused rows change how OpenBLAS cuts the sums of the gradients, nothing else.
        double loss = results.get(step).loss();
        assertEquals(loss, replayed.get(step).loss(), 1e-4 * loss, "step " + (step + 1));
      }
      if (config.kind() == ModelKind.WACO) {
        assertEquals(results, replayed);
        assertEquals(bits, training.bits());
      }
    }
  }

  /** One head, its batch in rows as they come or rounded up; on the step's tape or by itself. */
  private record Outcome(double loss, Map<String, String> gradients) {}

  private static Outcome outcome(int rowMultiple, boolean onTape) {
    try (TinyTraining training = training(TinyTraining.model(ModelKind.AUTOSPARSE), true)) {
      FixedHead head = training.model.fixedHead().orElseThrow();
      StepPlan.Step step = new StepPlan(data, TinyTraining.config(6, 2)).epoch(0).get(0);
      double[] best = data.tasks().stream().mapToDouble(task -> task.best(task.train())).toArray();
      RankingBatch batch = RankingBatch.of(step, data, training.encoded, best);
      BatchArrays arrays = head.batch(batch.selections(), rowMultiple);
      try (TensorScope scope = training.device.root().child("test");
          Tape tape = Tape.recording(scope, 1)) {
        Tensor mean = scope.zeros("mean", MemoryTag.INPUT, 1);
        Variable features = training.model.pattern(tape, training.pyramids.get(step.matrices()));
        if (onTape) {
          List<Tensor> inputs = arrays.create(scope);
          arrays.write(inputs);
          Variable scores = head.scoresOf(tape, features, inputs);
          Tensor labels = scope.reals("labels", MemoryTag.INPUT, batch.labels());
          Tensor groups = scope.longs("groups", MemoryTag.INPUT, batch.groups());
          HeadStep.meanBackward(
              tape, RankingLoss.LAMBDARANK.forward(tape, scores, labels, groups), mean);
        } else {
          try (HeadStep alone =
              new HeadStep(scope, head, RankingLoss.LAMBDARANK, features.value(), arrays, batch)) {
            alone.run(tape, features, arrays, batch, mean);
          }
        }
        Map<String, String> gradients = new LinkedHashMap<>();
        training
            .model
            .parameters()
            .byName()
            .forEach(
                (name, parameter) ->
                    gradients.put(name, Arrays.toString(parameter.gradient().toFloats())));
        return new Outcome(mean.item(), gradients);
      }
    }
  }

  @Test
  void gradientsAreTheSameBits() {
    for (int rowMultiple : new int[] {1, HeadSteps.ROW_MULTIPLE}) {
      Outcome expected = outcome(rowMultiple, true);
      assertTrue(expected.loss() > 0);
      assertEquals(expected, outcome(rowMultiple, false), "rows to " + rowMultiple);
    }
  }

  @Test
  void unusedRowsChangeNoScore() {
    assertEquals(outcome(1, true).loss(), outcome(1000, true).loss());
  }

  @Test
  void shapesThatComeBackAreKept() {
    ModelConfig config = TinyTraining.model(ModelKind.AUTOSPARSE);
    try (TinyTraining training = training(config, false);
        HeadSteps heads =
            new HeadSteps(
                training.device.root(),
                training.model.fixedHead().orElseThrow(),
                RankingLoss.LAMBDARANK)) {
      long before = training.device.ledger().liveBytes();
      double[] best = new double[data.tasks().size()];
      Arrays.fill(best, 1);
      StepPlan plan = new StepPlan(data, TinyTraining.config(6, 1));
      for (int epoch = 0; epoch < 2; epoch++) {
        for (StepPlan.Step step : plan.epoch(epoch)) {
          RankingBatch batch = RankingBatch.of(step, data, training.encoded, best);
          try (Tape tape = Tape.recording(training.device.root(), 1)) {
            Variable features =
                training.model.pattern(tape, training.pyramids.get(step.matrices()));
            Tensor mean = tape.scope().zeros("mean", MemoryTag.INPUT, 1);
            heads.run(tape, features, batch, mean);
            assertNotEquals(0, mean.item());
          }
        }
      }
      assertTrue(heads.size() < 2 * plan.stepsPerEpoch(), heads.size() + " heads");
      assertTrue(training.device.ledger().liveBytes() > before);
    }
  }
}
