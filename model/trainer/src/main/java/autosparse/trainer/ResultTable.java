package autosparse.trainer;

import autosparse.costmodel.training.Evaluation;
import autosparse.costmodel.training.Evaluation.TaskEvaluation;
import autosparse.costmodel.training.RankingMetrics;
import autosparse.trainer.report.ReportData.MeanRow;
import autosparse.trainer.report.ReportData.TaskRow;
import autosparse.trainer.run.ResultsFile.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** A model's figures beside what needs no model: the rows of every table that is shown. */
final class ResultTable {
  private final List<MeanRow> means = new ArrayList<>();
  private final List<TaskRow> tasks = new ArrayList<>();
  private final List<Result> results = new ArrayList<>();
  private final boolean repeats;

  ResultTable(String name, String note, Evaluation evaluation) {
    for (TaskEvaluation task : evaluation.tasks()) {
      RankingMetrics model = task.model();
      tasks.add(
          new TaskRow(
              task.matrix(),
              task.op(),
              task.schedules(),
              model.topOne(),
              model.topFive(),
              model.pairAccuracy(),
              task.blind() == null ? Double.NaN : task.blind().pairAccuracy()));
    }
    means.add(row(name, note, evaluation, TaskEvaluation::model));
    boolean blind = evaluation.tasks().stream().anyMatch(task -> task.blind() != null);
    if (blind) {
      means.add(
          row(
              "pattern-blind",
              "the same network, shown another matrix",
              evaluation,
              TaskEvaluation::blind));
    }
    means.add(row("random pick", "expected value", evaluation, TaskEvaluation::random));
    repeats = evaluation.noise().tasks() > 0;
    if (repeats) {
      means.add(
          new MeanRow(
              "noise ceiling",
              String.format(
                  Locale.ROOT,
                  "ranking %,d repeated schedules by one measurement, judged by another",
                  evaluation.noise().repeated()),
              evaluation.noise().topOneCeiling(),
              evaluation.noise().topFiveCeiling(),
              Double.NaN,
              Double.NaN,
              Double.NaN));
    }
  }

  /** Adds another model's means behind the first row. */
  ResultTable with(String name, String note, Evaluation evaluation) {
    means.add(1, row(name, note, evaluation, TaskEvaluation::model));
    return this;
  }

  /** A row of means; what it is the mean of joins the results. */
  private MeanRow row(
      String name,
      String note,
      Evaluation evaluation,
      Function<TaskEvaluation, RankingMetrics> who) {
    for (TaskEvaluation task : evaluation.tasks()) {
      RankingMetrics metrics = who.apply(task);
      if (metrics != null) {
        results.add(
            new Result(
                name,
                task.op(),
                task.matrix(),
                task.schedules(),
                metrics.topOne(),
                metrics.topFive(),
                metrics.pairAccuracy()));
      }
    }
    return new MeanRow(
        name,
        note,
        evaluation.mean(who, RankingMetrics::topOne),
        evaluation.mean(who, RankingMetrics::topFive),
        evaluation.mean(who, RankingMetrics::pairAccuracy),
        evaluation.latencySum(who, RankingMetrics::bestOfOneMs),
        evaluation.latencySum(who, RankingMetrics::bestOfFiveMs));
  }

  /** Every judge's figures of every task. */
  List<Result> results() {
    return List.copyOf(results);
  }

  List<MeanRow> means() {
    return List.copyOf(means);
  }

  List<TaskRow> tasks() {
    return List.copyOf(tasks);
  }

  /** The table as text lines: tasks, beside them the pairs of the pattern-blind; then means. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            "%-8s%-24s%10s%8s%8s%8s%8s",
            "op", "matrix", "schedules", "top-1", "top-5", "pairs", "blind"));
    for (TaskRow task : tasks) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%-8s%-24s%10d%s%s%s%s",
              task.op(),
              task.matrix(),
              task.schedules(),
              share(task.topOne()),
              share(task.topFive()),
              share(task.pairAccuracy()),
              share(task.blindPairAccuracy())));
    }
    lines.add("");
    lines.add(
        String.format(
            "%-42s%8s%8s%8s%9s%9s",
            "mean over tasks", "top-1", "top-5", "pairs", "sum-1", "sum-5"));
    for (MeanRow mean : means) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%-42s%s%s%s %s %s",
              mean.name(),
              share(mean.topOne()),
              share(mean.topFive()),
              share(mean.pairAccuracy()),
              share(mean.sumTopOne()),
              share(mean.sumTopFive())));
    }
    return lines;
  }

  private static String share(double value) {
    return Double.isNaN(value)
        ? String.format("%8s", "-")
        : String.format(Locale.ROOT, "%8.3f", value);
  }
}
