package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.training.Evaluation;
import autosparse.costmodel.training.StepResult;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.Op;
import autosparse.trainer.run.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * {@code features-mlp} trained on the same data beside every model: what derived features alone
 * reach. Always the same recipe, so that rows can be compared between runs.
 */
final class Baseline {
  static final String NAME = ModelKind.FEATURES_MLP.toString();
  private static final int BATCH = 1024;

  private Baseline() {}

  static ModelConfig config(List<Op> ops) {
    return new ModelConfig(
        ModelKind.FEATURES_MLP,
        ops,
        4,
        ModelConfig.TokenForm.NORMALIZED,
        true,
        1,
        ModelConfig.FeatureAt.TOKEN,
        ModelConfig.Head.COMPACT);
  }

  /**
   * Trains and judges the baseline.
   *
   * @param file where its weights are written
   * @param interrupted polled at every step
   * @return empty when interrupted; nothing is written then
   */
  static Optional<Evaluation> train(
      Device device,
      TrainingData data,
      List<Op> ops,
      int epochs,
      long seed,
      Path file,
      Main main,
      boolean terminal,
      BooleanSupplier interrupted) {
    TrainingConfig config =
        new TrainingConfig(
            RankingLoss.LAMBDARANK,
            epochs,
            BATCH,
            0,
            1,
            1e-3,
            RateSchedule.LINEAR,
            1e-2,
            true,
            1,
            seed);
    try (Session session = Session.create(device, data, config(ops), seed);
        Trainer trainer = session.trainer(config, true);
        Progress progress =
            Progress.start(
                main.err(), terminal, NAME + " for comparison", 0, trainer.totalSteps())) {
      while (!trainer.isDone()) {
        if (interrupted.getAsBoolean()) {
          return Optional.empty();
        }
        trainer.advance();
        if (trainer.atEpochEnd()) {
          List<StepResult> results = trainer.results();
          StepResult last = results.get(results.size() - 1);
          progress.update(last.step(), String.format(Locale.ROOT, "loss %.3f", last.loss()));
        }
      }
      ModelFile.writeWeights(file, session.model(), session.statistics());
      return Optional.of(session.evaluator(config.loss(), BATCH).evaluate(false));
    }
  }

  /** Judges a baseline that a run has left. */
  static Evaluation judge(Device device, TrainingData data, Path file) {
    try (Session session = Session.load(device, data, file)) {
      return session.evaluator(RankingLoss.LAMBDARANK, BATCH).evaluate(false);
    }
  }
}
