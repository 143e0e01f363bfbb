package autosparse.trainer.report;

import autosparse.trainer.report.LineChart.Point;
import autosparse.trainer.report.LineChart.Series;
import autosparse.trainer.report.ReportData.EvaluationPoint;
import autosparse.trainer.report.ReportData.LossPoint;
import autosparse.trainer.report.ReportData.MeanRow;
import autosparse.trainer.report.ReportData.Memory;
import autosparse.trainer.report.ReportData.TaskRow;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A run's report: one HTML file without scripts, fonts or images from elsewhere. The same data give
 * the same bytes.
 */
public final class HtmlReport {
  /** The smoothed loss is a running mean in which a step's weight falls by this much per step. */
  private static final double SMOOTHING = 0.98;

  private final ReportData data;
  private final StringBuilder html = new StringBuilder();

  private HtmlReport(ReportData data) {
    this.data = data;
  }

  /** The whole file. */
  public static String render(ReportData data) {
    HtmlReport report = new HtmlReport(data);
    report.page();
    return report.html.toString();
  }

  private void page() {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html.append(Html.escape(data.title())).append("</title>\n<style>\n").append(style());
    html.append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>");
    html.append(Html.escape(data.title())).append("</h1>\n<p class=\"lead\">");
    html.append(Html.escape(data.summary())).append("</p>\n");
    tiles();
    html.append("</header>\n");
    comparison();
    curves();
    tasks();
    memory();
    html.append("<section class=\"pair\">\n");
    facts("Options", "options", data.config());
    facts("Environment", "environment", data.environment());
    html.append("</section>\n</main>\n</body>\n</html>\n");
  }

  private void tiles() {
    if (data.means().isEmpty()) {
      return;
    }
    MeanRow model = data.means().get(0);
    html.append("<dl class=\"tiles\">\n");
    tile("mean top-1", Html.share(model.topOne()));
    tile("mean top-5", Html.share(model.topFive()));
    tile("pair accuracy", Html.share(model.pairAccuracy()));
    tile("tasks", Html.count(data.tasks().size()));
    html.append("</dl>\n");
  }

  private void tile(String name, String value) {
    html.append("<div><dt>").append(name).append("</dt><dd>").append(value);
    html.append("</dd></div>\n");
  }

  private void comparison() {
    section("result", "Against the baselines");
    html.append("<p>On held-out schedules, larger is better, 1 is perfect. Mean: over tasks. Sum:")
        .append(" all tasks' fastest latencies, summed, over those of the picks, summed.</p>\n");
    if (data.means().isEmpty()) {
      none();
      return;
    }
    List<String> heads =
        List.of("", "top-1", "top-5", "pair accuracy", "top-1 by sum", "top-5 by sum");
    tableStart(heads, 1);
    List<ToDoubleFunction<MeanRow>> columns =
        List.of(
            MeanRow::topOne,
            MeanRow::topFive,
            MeanRow::pairAccuracy,
            MeanRow::sumTopOne,
            MeanRow::sumTopFive);
    for (int i = 0; i < data.means().size(); i++) {
      MeanRow row = data.means().get(i);
      html.append(i == 0 ? "<tr class=\"own\">" : "<tr>").append("<th scope=\"row\">");
      html.append(Html.escape(row.name()));
      if (!row.note().isEmpty()) {
        html.append(" <small>").append(Html.escape(row.note())).append("</small>");
      }
      html.append("</th>");
      columns.forEach(column -> share(column.applyAsDouble(row)));
      html.append("</tr>\n");
    }
    tableEnd();
    html.append("</section>\n");
  }

  private void curves() {
    section("accuracy", "Held-out accuracy");
    html.append(
        new LineChart(
                "accuracy-chart",
                "Mean top-1, top-5 and pair accuracy on held-out schedules by epoch.",
                "epoch",
                "share",
                List.of(
                    evaluation("top-1", EvaluationPoint::topOne),
                    evaluation("top-5", EvaluationPoint::topFive),
                    evaluation("pair accuracy", EvaluationPoint::pairAccuracy)))
            .toSvg());
    html.append("</section>\n");
    section("loss", "Training loss");
    List<Point> raw = new ArrayList<>();
    List<Point> smooth = new ArrayList<>();
    double mean = 0;
    double weight = 0;
    for (LossPoint point : data.losses()) {
      raw.add(new Point(point.step(), point.loss()));
      if (Double.isFinite(point.loss())) {
        mean = SMOOTHING * mean + (1 - SMOOTHING) * point.loss();
        weight = SMOOTHING * weight + (1 - SMOOTHING);
        smooth.add(new Point(point.step(), mean / weight));
      }
    }
    html.append(
        new LineChart(
                "loss-chart",
                "Training loss by step, each step and smoothed.",
                "step",
                "loss",
                List.of(new Series("each step", raw, true), new Series("smoothed", smooth, false)))
            .toSvg());
    html.append("</section>\n");
  }

  private Series evaluation(String name, ToDoubleFunction<EvaluationPoint> value) {
    List<Point> points =
        data.evaluations().stream()
            .map(point -> new Point(point.epoch(), value.applyAsDouble(point)))
            .toList();
    return new Series(name, points, false);
  }

  private void tasks() {
    section("tasks", "By task");
    if (data.tasks().isEmpty()) {
      none();
      return;
    }
    tableStart(
        List.of(
            "matrix", "operator", "schedules", "top-1", "top-5", "pair accuracy", "pattern-blind"),
        2);
    for (TaskRow row : data.tasks()) {
      html.append("<tr><th scope=\"row\">").append(Html.escape(row.matrix())).append("</th><td>");
      html.append(Html.escape(row.op())).append("</td><td class=\"n\">");
      html.append(Html.count(row.schedules())).append("</td>");
      share(row.topOne());
      share(row.topFive());
      share(row.pairAccuracy());
      share(row.blindPairAccuracy());
      html.append("</tr>\n");
    }
    tableEnd();
    html.append("</section>\n");
  }

  private void memory() {
    section("memory", "Memory at its peak");
    Memory memory = data.memory();
    html.append("<p>Tensors: ").append(Html.bytes(memory.peakBytes()));
    if (memory.budgetBytes() > 0) {
      html.append(" of a budget of ").append(Html.bytes(memory.budgetBytes()));
    }
    memory
        .peakResidentBytes()
        .ifPresent(bytes -> html.append(". The whole process: ").append(Html.bytes(bytes)));
    html.append(".</p>\n");
    long total = memory.peakBytes();
    if (total > 0) {
      tableStart(List.of("tensors", "bytes", "", "share"), 1);
      memory
          .peakByTag()
          .forEach(
              (tag, bytes) -> {
                double share = (double) bytes / total;
                html.append("<tr><th scope=\"row\">").append(Html.escape(tag));
                html.append("</th><td class=\"n\">").append(Html.bytes(bytes));
                html.append("</td><td class=\"wide\">").append(bar(share));
                html.append("</td><td class=\"n\">");
                html.append(String.format(Locale.ROOT, "%.1f %%", share * 100));
                html.append("</td></tr>\n");
              });
      tableEnd();
    }
    if (!memory.host().isEmpty()) {
      html.append("<p>Of the host: heap by what is kept there, what is taken outside of it, and")
          .append(" the whole process. Rows overlap: they are not to be summed.</p>\n");
      tableStart(List.of("host memory", "planned", "measured"), 1);
      for (ReportData.HostRow row : memory.host()) {
        html.append("<tr><th scope=\"row\">").append(Html.escape(row.what()));
        html.append("</th><td class=\"n\">").append(Html.bytes(row.planned()));
        html.append("</td><td class=\"n\">");
        html.append(row.measured().isEmpty() ? "–" : Html.bytes(row.measured().getAsLong()));
        html.append("</td></tr>\n");
      }
      tableEnd();
    }
    html.append("</section>\n");
  }

  private void facts(String title, String id, Map<String, String> facts) {
    section(id, title);
    html.append("<dl class=\"facts\">\n");
    facts.forEach(
        (name, value) ->
            html.append("<div><dt>")
                .append(Html.escape(name))
                .append("</dt><dd>")
                .append(Html.escape(value))
                .append("</dd></div>\n"));
    html.append("</dl>\n</section>\n");
  }

  private void section(String id, String title) {
    html.append("<section aria-labelledby=\"").append(id).append("\">\n<h2 id=\"").append(id);
    html.append("\">").append(title).append("</h2>\n");
  }

  private void none() {
    html.append("<p class=\"none\">No figures were recorded.</p>\n</section>\n");
  }

  private void tableStart(List<String> heads, int textColumns) {
    html.append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for (int i = 0; i < heads.size(); i++) {
      String kind = i < textColumns ? "" : " class=\"n\"";
      html.append(heads.get(i).isEmpty() ? "<td></td>" : "<th scope=\"col\"" + kind + ">");
      html.append(heads.get(i)).append(heads.get(i).isEmpty() ? "" : "</th>");
    }
    html.append("</tr></thead>\n<tbody>\n");
  }

  private void tableEnd() {
    html.append("</tbody>\n</table></div>\n");
  }

  private void share(double value) {
    html.append("<td class=\"n\">").append(Html.share(value)).append("</td>");
  }

  private static String bar(double share) {
    String width = Html.at(Math.max(share * 100, 0.5));
    return "<svg class=\"bar\" aria-hidden=\"true\" viewBox=\"0 0 100 8\""
        + " preserveAspectRatio=\"none\"><rect width=\""
        + width
        + "\" height=\"8\"/></svg>";
  }

  static String style() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
