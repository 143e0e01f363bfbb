package autosparse.benchmarks;

import autosparse.engine.DeviceSelection;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * JMH's own command line; behind JMH's report comes one table of all results with rates, floors and
 * shares of the ceilings.
 */
public final class Main {
  private static final List<String> OF_JMH = List.of("-h", "-l", "-lp", "-lprof", "-lrf");

  private Main() {}

  /** Runs the benchmarks that the arguments select; exit code 1 when one of them failed. */
  public static void main(String[] args) throws IOException {
    if (Stream.of(args).anyMatch(OF_JMH::contains)) {
      org.openjdk.jmh.Main.main(args);
      return;
    }
    int code;
    try {
      code = run(new CommandLineOptions(args));
    } catch (NoBenchmarksException e) {
      code = 2; // JMH has said so
    } catch (CommandLineOptionException
        | RunnerException
        | IllegalArgumentException
        | InputException e) {
      System.err.println(e.getMessage());
      code = 2;
    }
    System.exit(code);
  }

  /** Runs and prints; 1 when a benchmark gave no result. */
  static int run(Options given) throws RunnerException, IOException {
    Map<ResultTable.Asked, DeviceSelection> devices = devices(given);
    devices.forEach(
        (asked, selection) ->
            System.out.printf(
                "device %s, precision %s: %s in %s (%s)%n",
                asked.device(),
                asked.precision(),
                selection.chosen(),
                selection.precision(),
                selection.reason()));
    boolean cuda = devices.values().stream().anyMatch(DeviceSelection::isCuda);
    Options options = withoutUnavailable(given, cuda);
    PrintStream out =
        options.getOutput().hasValue()
            ? new PrintStream(options.getOutput().get(), StandardCharsets.UTF_8)
            : System.out;
    RunLog log = new RunLog(out, options.verbosity().orElse(VerboseMode.NORMAL));
    Collection<RunResult> results = new Runner(options, log.format()).run();
    ResultTable table = ResultTable.of(results, log.failed(results), devices);
    System.out.println();
    System.out.print(table);
    return table.failures().isEmpty() ? 0 : 1;
  }

  /** What each asked device is; fails at once where there is none such. */
  private static Map<ResultTable.Asked, DeviceSelection> devices(Options options) {
    Map<ResultTable.Asked, DeviceSelection> devices = new LinkedHashMap<>();
    List<String> usual = List.of("auto");
    for (String device : options.getParameter("device").orElse(usual)) {
      for (String precision : options.getParameter("precision").orElse(usual)) {
        devices.put(
            new ResultTable.Asked(device, precision), BenchmarkDevice.select(device, precision, 0));
      }
    }
    return devices;
  }

  /** Leaves out what this machine or this jar has not, and says so where it was selected. */
  private static Options withoutUnavailable(Options given, boolean cuda) {
    Optional<String> reason = CudnnBenchmark.unavailable(cuda);
    if (reason.isEmpty()) {
      return given;
    }
    String name = CudnnBenchmark.class.getName();
    if (given.getIncludes().isEmpty()
        || given.getIncludes().stream()
            .anyMatch(include -> Pattern.compile(include).matcher(name + ".run").find())) {
      System.out.println("skipped CudnnBenchmark: " + reason.get());
    }
    return new OptionsBuilder().parent(given).exclude(Pattern.quote(name)).build();
  }
}
