package autosparse.trainer;

import autosparse.costmodel.ModelKind;
import autosparse.costmodel.training.Ensemble;
import autosparse.costmodel.training.Evaluation;
import autosparse.costmodel.training.Evaluator;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.TaskScores;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.schedule.Split;
import autosparse.trainer.options.EvaluateOptions;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The work of {@code evaluate}: one network, or several by the mean of their scores. */
final class Evaluating {
  private static final int LOSS_BATCH = 768;

  private final EvaluateOptions options;
  private final Main main;

  Evaluating(EvaluateOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    DeviceSelection selection = Devices.select(options.device());
    HostPlan host = new HostPlan(selection.host());
    try (TrainingData data = Session.read(options.data(), host, 1, main.patternBudget());
        Device device = selection.withHost(host.budget()).open();
        PlannedModels models = PlannedModels.of(options.checkpoints(), device)) {
      models.all().forEach(model -> Session.requireOperators(model.file(), model.config(), data));
      List<PlannedPasses> plans =
          models.all().stream().map(model -> model.judge(data, LOSS_BATCH, true, 0, host)).toList();
      List<List<TaskScores>> scores = new ArrayList<>();
      for (int m = 0; m < plans.size(); m++) {
        try (Session session = Session.load(device, data, options.checkpoints().get(m))) {
          scores.add(session.evaluator(plans.get(m), PlannedModel.LOSS, LOSS_BATCH).scores(true));
        }
      }
      Evaluation together = judge(device, data, Ensemble.meanByTask(scores));
      ModelKind kind = models.all().get(0).config().kind();
      boolean one = scores.size() == 1;
      ResultTable table =
          one
              ? new ResultTable(kind.toString(), "this model", together)
              : new ResultTable("mean of " + scores.size(), "standardised scores", together);
      Optional<Path> baseline = kind == ModelKind.FEATURES_MLP ? Optional.empty() : baseline();
      if (baseline.isPresent()) {
        table.with(
            Baseline.NAME,
            "derived features only, no pattern",
            Baseline.judge(device, data, baseline.get(), host));
      }
      for (int m = scores.size() - 1; m >= 0 && !one; m--) {
        table.with(name(options.checkpoints().get(m)), "alone", judge(device, data, scores.get(m)));
      }
      main.print(
          String.format(
              Locale.ROOT,
              "%s on %,d %sschedules, LambdaRank loss %.3f",
              options.checkpoints().stream().map(Path::toString).collect(Collectors.joining(", ")),
              data.split().validationSize(),
              data.split().kind() == Split.Kind.NONE ? "" : "held-out ",
              together.loss()));
      table.lines().forEach(main::print);
    }
    return 0;
  }

  private static Evaluation judge(Device device, TrainingData data, List<TaskScores> scores) {
    return Evaluator.judge(device, data, scores, PlannedModel.LOSS, LOSS_BATCH);
  }

  /** What a network is called beside others: its run's name, or its file's. */
  private static String name(Path file) {
    return RunFolder.ofCheckpoint(file).orElse(file).getFileName().toString();
  }

  /** The baseline of the run that the first checkpoint is from. */
  private Optional<Path> baseline() {
    return RunFolder.ofCheckpoint(options.checkpoints().get(0))
        .map(RunFolder::baselineOf)
        .filter(Files::isRegularFile);
  }
}
