package autosparse.trainer;

import autosparse.trainer.run.ResultsFile.Result;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The tables of results of several runs: a row for each judge and task, and means. */
final class RunsTable {
  private record Task(String who, String op, String matrix) {}

  private final Map<Task, List<Result>> tasks = new LinkedHashMap<>();
  private final Map<String, List<Result>> judges = new LinkedHashMap<>();

  RunsTable(List<Result> results) {
    for (Result result : results) {
      judges.computeIfAbsent(result.who(), who -> new ArrayList<>()).add(result);
    }
    // Judge by judge, so that its rows stand together.
    judges.forEach(
        (who, rows) ->
            rows.forEach(
                row ->
                    tasks
                        .computeIfAbsent(
                            new Task(who, row.op(), row.matrix()), task -> new ArrayList<>())
                        .add(row)));
  }

  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            "%-18s%-8s%-24s%5s%8s%8s%8s",
            "who", "op", "matrix", "runs", "top-1", "top-5", "pairs"));
    tasks.forEach(
        (task, rows) -> lines.add(row(task.who(), task.op(), task.matrix(), rows.size(), rows)));
    lines.add("");
    lines.add(
        String.format(
            "%-50s%5s%8s%8s%8s", "mean over tasks and runs", "rows", "top-1", "top-5", "pairs"));
    judges.forEach((who, rows) -> lines.add(row(who, "", "", rows.size(), rows)));
    return lines;
  }

  private static String row(String who, String op, String matrix, int count, List<Result> rows) {
    return String.format(
        "%-18s%-8s%-24s%5d%s%s%s",
        who,
        op,
        matrix,
        count,
        mean(rows, Result::topOne),
        mean(rows, Result::topFive),
        mean(rows, Result::pairAccuracy));
  }

  /** Tasks without a value, such as pairs where all latencies are equal, are left out. */
  private static String mean(List<Result> rows, ToDoubleFunction<Result> metric) {
    DoubleSummaryStatistics statistics =
        rows.stream().mapToDouble(metric).filter(value -> !Double.isNaN(value)).summaryStatistics();
    return statistics.getCount() == 0
        ? String.format("%8s", "-")
        : String.format(Locale.ROOT, "%8.3f", statistics.getAverage());
  }
}
