package autosparse.trainer;

import autosparse.costmodel.training.TrainingData;
import autosparse.schedule.Op;
import autosparse.trainer.options.TrainOptions;
import autosparse.trainer.report.ReportData;
import autosparse.trainer.run.Environment;
import autosparse.trainer.run.MetricsLog;
import autosparse.trainer.run.MetricsLog.Entry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What a training run's report shows. */
final class RunReport {
  private RunReport() {}

  static ReportData of(
      TrainOptions options,
      TrainingData data,
      Map<String, Object> resolved,
      Environment environment,
      List<Entry> entries,
      ResultTable table,
      ReportData.Memory memory,
      double minutes) {
    List<ReportData.LossPoint> losses = new ArrayList<>();
    List<ReportData.EvaluationPoint> evaluations = new ArrayList<>();
    for (Entry entry : entries) {
      Map<String, Double> values = entry.values();
      if (entry.kind() == MetricsLog.Kind.TRAIN) {
        losses.add(new ReportData.LossPoint(entry.step(), value(values, "loss")));
      } else {
        evaluations.add(
            new ReportData.EvaluationPoint(
                entry.epoch(),
                value(values, "top1"),
                value(values, "top5"),
                value(values, "pair_accuracy")));
      }
    }
    String heldOut =
        data.split().heldOut().isEmpty() ? "" : ": " + String.join(", ", data.split().heldOut());
    String ops = options.data().ops().stream().map(Op::id).collect(Collectors.joining(", "));
    return new ReportData(
        options.model().model() + " on " + ops,
        String.format(
            Locale.ROOT,
            "Trained on %,d schedules of %d tasks, judged on %,d held out (split %s%s); %.1f"
                + " minutes.",
            data.split().trainSize(),
            data.tasks().size(),
            data.split().validationSize(),
            data.split().kind().id(),
            heldOut,
            minutes),
        texts(resolved),
        texts(environment.facts()),
        losses,
        evaluations,
        table.tasks(),
        table.means(),
        memory);
  }

  private static double value(Map<String, Double> values, String name) {
    return values.getOrDefault(name, Double.NaN);
  }

  private static Map<String, String> texts(Map<String, Object> values) {
    Map<String, String> texts = new LinkedHashMap<>();
    values.forEach((name, value) -> texts.put(name, String.valueOf(value)));
    return texts;
  }
}
