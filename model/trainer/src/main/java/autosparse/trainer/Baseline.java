package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.training.Evaluation;
import autosparse.costmodel.training.Evaluator;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.PlannedSteps;
import autosparse.costmodel.training.StepPlan;
import autosparse.costmodel.training.StepPlanner;
import autosparse.costmodel.training.StepResult;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryBudget;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;
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

  private static TrainingConfig training(int epochs, long seed) {
    return new TrainingConfig(
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
        0,
        seed);
  }

  /**
   * What training and judging the baseline takes.
   *
   * @param passes of judging it
   * @param roomy whether there is memory beyond what single steps take
   */
  record Planned(StepPlanner planner, PlannedPasses passes, boolean roomy)
      implements AutoCloseable {
    @Override
    public void close() {
      planner.close();
    }
  }

  /**
   * Plans the baseline beside a model that stays on the device.
   *
   * @param others bytes of that model and its optimiser
   * @throws InputException when there is no room for it, with the budget that would do
   */
  static Planned plan(
      Device device, TrainingData data, List<Op> ops, int epochs, long seed, long others) {
    TrainingConfig config = training(epochs, seed);
    StepPlanner planner =
        new StepPlanner(
            PlanningDevice.like(device, StepPlanner.UNLIMITED),
            config(ops),
            data.statistics(),
            data,
            config);
    try {
      MemoryBudget left = device.budget().with("the model beside it", others);
      PlannedSteps steps = new PlannedSteps(planner, data.patterns(), left);
      steps.planAll(new StepPlan(data, config).first(Training.PLANNED_STEPS));
      PlannedPasses passes =
          new PlannedPasses(planner.forward(), device.budget(), others + planner.baseBytes());
      Evaluator.plan(passes, data, planner.encoded(), config.loss(), BATCH, false);
      return new Planned(planner, passes, steps.areRoomy() && passes.areRoomy());
    } catch (InputException e) {
      planner.close();
      throw new InputException(
          e.getMessage() + "; this is " + NAME + ", which --baseline-epochs 0 leaves out", e);
    } catch (RuntimeException e) {
      planner.close();
      throw e;
    }
  }

  /**
   * Trains and judges the baseline.
   *
   * @param planned with the same data, operators and seed
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
      Planned planned,
      Path file,
      Main main,
      boolean terminal,
      BooleanSupplier interrupted) {
    TrainingConfig config = training(epochs, seed);
    try (Session session = Session.create(device, data, config(ops), seed);
        Trainer trainer = session.trainer(config, planned.roomy());
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
      return Optional.of(session.evaluator(planned.passes(), config.loss(), BATCH).evaluate(false));
    }
  }

  /** Judges a baseline that a run has left. */
  static Evaluation judge(Device device, TrainingData data, Path file, HostPlan host) {
    try (PlannedModel model = PlannedModel.of(file, device)) {
      Session.requireOperators(file, model.config(), data);
      PlannedPasses plans = model.judge(data, BATCH, false, device.allocator().liveBytes(), host);
      try (Session session = Session.load(device, data, file)) {
        return session.evaluator(plans, PlannedModel.LOSS, BATCH).evaluate(false);
      }
    }
  }
}
