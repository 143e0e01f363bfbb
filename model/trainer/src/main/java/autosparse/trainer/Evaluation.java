package autosparse.trainer;

import autosparse.costmodel.ModelKind;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.schedule.Split;
import autosparse.trainer.options.EvaluateOptions;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The work of {@code evaluate}. */
final class Evaluation {
  private static final int LOSS_BATCH = 768;

  private final EvaluateOptions options;
  private final Main main;

  Evaluation(EvaluateOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    DeviceSelection selection = Devices.select(options.device());
    try (TrainingData data = Session.read(options.data(), options.seed(), main.patternBudget());
        Device device = selection.open();
        PlannedModel model = PlannedModel.of(options.checkpoint(), device)) {
      Session.requireOperators(options.checkpoint(), model.config(), data);
      ModelKind kind = model.config().kind();
      Optional<Path> baseline = kind == ModelKind.FEATURES_MLP ? Optional.empty() : baseline();
      PlannedPasses plans = model.judge(data, LOSS_BATCH, true, 0);
      ResultTable table;
      autosparse.costmodel.training.Evaluation evaluation;
      try (Session session = Session.load(device, data, options.checkpoint())) {
        evaluation = session.evaluator(plans, PlannedModel.LOSS, LOSS_BATCH).evaluate(true);
        table = new ResultTable(kind.toString(), "this model", evaluation);
      }
      if (baseline.isPresent()) {
        table.with(
            Baseline.NAME,
            "derived features only, no pattern",
            Baseline.judge(device, data, baseline.get()));
      }
      main.print(
          String.format(
              Locale.ROOT,
              "%s on %,d %sschedules, LambdaRank loss %.3f",
              options.checkpoint(),
              data.split().validationSize(),
              data.split().kind() == Split.Kind.NONE ? "" : "held-out ",
              evaluation.loss()));
      table.lines().forEach(main::print);
    }
    return 0;
  }

  /** The baseline of the run that the checkpoint is from. */
  private Optional<Path> baseline() {
    Path checkpoints = options.checkpoint().toAbsolutePath().getParent();
    if (checkpoints == null || checkpoints.getParent() == null) {
      return Optional.empty();
    }
    return Optional.of(RunFolder.baselineOf(checkpoints.getParent())).filter(Files::isRegularFile);
  }
}
