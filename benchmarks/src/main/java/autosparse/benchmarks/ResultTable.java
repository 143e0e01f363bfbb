package autosparse.benchmarks;

import autosparse.engine.DeviceSelection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * All results of a run: a group for each benchmark class, device and precision, with its ceilings;
 * a row for each case.
 */
final class ResultTable {
  /** Parameters that make a group; the others tell its rows apart. */
  private static final List<String> OF_GROUP = List.of("device", "precision", "threads");

  /** Words of a user's that a device and its precision are chosen by. */
  record Asked(String device, String precision) {}

  private static final List<String> HEADINGS =
      List.of(
          "time ms",
          "spread",
          "host ms",
          "GFLOP/s",
          "GB/s",
          "floor ms",
          "share",
          "schedules/s",
          "peak MB");

  private record Row(String name, List<String> cells) {}

  private static final class Group {
    private final List<Row> rows = new ArrayList<>();
    private String ceilings = "";
  }

  private final Map<String, Group> groups = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  private final Map<Asked, DeviceSelection> devices;

  private ResultTable(Map<Asked, DeviceSelection> devices) {
    this.devices = devices;
  }

  /**
   * @param failed benchmarks that gave no result
   * @param devices what was chosen for whatever was asked
   */
  static ResultTable of(
      Collection<RunResult> results,
      Collection<BenchmarkParams> failed,
      Map<Asked, DeviceSelection> devices) {
    ResultTable table = new ResultTable(devices);
    for (RunResult result : results) {
      Group group = table.group(result.getParams());
      Map<String, Double> counters = new LinkedHashMap<>();
      result.getSecondaryResults().forEach((name, counter) -> counters.put(name, mean(counter)));
      group.rows.add(new Row(caseName(result.getParams()), cells(counters)));
      if (group.ceilings.isEmpty() && counters.containsKey("ceilingGflopPerSecond")) {
        group.ceilings =
            ", "
                + new Ceilings(
                    1e9 * counters.get("ceilingGflopPerSecond"),
                    1e9 * counters.get("ceilingGbytePerSecond"));
      }
    }
    for (BenchmarkParams params : failed) {
      table.group(params).rows.add(new Row(caseName(params), List.of("failed, see above")));
      table.failures.add(params.id());
    }
    return table;
  }

  /** JMH adds counters up over iterations: their mean is what one iteration measured. */
  private static double mean(Result<?> counter) {
    return counter.getStatistics().getMean();
  }

  /** Benchmarks without a result. */
  List<String> failures() {
    return failures;
  }

  private Group group(BenchmarkParams params) {
    StringBuilder name = new StringBuilder(className(params));
    for (String parameter : OF_GROUP) {
      name.append(", ").append(parameter).append(' ').append(params.getParam(parameter));
    }
    DeviceSelection chosen =
        devices.get(new Asked(params.getParam("device"), params.getParam("precision")));
    name.append(": ").append(chosen.chosen());
    if (chosen.isCuda()) {
      name.append(' ').append(chosen.reason());
    }
    name.append(" in ").append(chosen.precision());
    return groups.computeIfAbsent(name.toString(), n -> new Group());
  }

  private static String className(BenchmarkParams params) {
    String method = params.getBenchmark();
    String type = method.substring(0, method.lastIndexOf('.'));
    return type.substring(type.lastIndexOf('.') + 1);
  }

  private static String caseName(BenchmarkParams params) {
    List<String> values = new ArrayList<>();
    for (String key : new TreeSet<>(params.getParamsKeys())) {
      if (!OF_GROUP.contains(key) && !key.equals("matrices") && !params.getParam(key).isEmpty()) {
        values.add(params.getParam(key));
      }
    }
    return String.join(", ", values);
  }

  private static List<String> cells(Map<String, Double> counters) {
    return List.of(
        number("%.4f", counters.get("timeMs")),
        number("%.1f %%", 100 * counters.getOrDefault("spread", Double.NaN)),
        number("%.4f", counters.get("hostMs")),
        positive("%.1f", counters.get("gflopPerSecond")),
        positive("%.1f", counters.get("gbytePerSecond")),
        positive("%.4f", counters.get("floorMs")),
        positive("%.3f", counters.get("share")),
        positive("%.0f", counters.get("schedulesPerSecond")),
        positive("%.1f", counters.get("peakMegabytes")));
  }

  private static String positive(String format, Double value) {
    return value != null && value == 0 ? "-" : number(format, value);
  }

  private static String number(String format, Double value) {
    return value == null || value.isNaN() ? "-" : String.format(Locale.ROOT, format, value);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    groups.forEach(
        (name, group) -> {
          text.append(name).append(group.ceilings).append('\n');
          write(group, text);
        });
    return text.toString();
  }

  private static void write(Group group, StringBuilder text) {
    int first = group.rows.stream().mapToInt(row -> row.name.length()).max().orElse(0);
    int[] widths = new int[HEADINGS.size()];
    for (int c = 0; c < widths.length; c++) {
      widths[c] = HEADINGS.get(c).length();
      for (Row row : group.rows) {
        if (row.cells.size() == widths.length) {
          widths[c] = Math.max(widths[c], row.cells.get(c).length());
        }
      }
    }
    write("", HEADINGS, first, widths, text);
    group.rows.forEach(row -> write(row.name, row.cells, first, widths, text));
  }

  private static void write(
      String name, List<String> cells, int first, int[] widths, StringBuilder text) {
    text.append("  ").append(name).append(" ".repeat(first - name.length()));
    for (int c = 0; c < cells.size(); c++) {
      text.append("  ").append(" ".repeat(Math.max(0, widths[c] - cells.get(c).length())));
      text.append(cells.get(c));
    }
    text.append('\n');
  }
}
