package autosparse.benchmarks;

import autosparse.engine.DeviceSelection;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * JMH's own command line; behind JMH's report comes one table of all results with rates, floors and
 * shares of the ceilings.
 */
public final class Main {
  private static final List<String> OF_JMH =
      List.of("-h", "-l", "-lp", "-lprof", "-lrf");

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
    } catch (CommandLineOptionException | RunnerException | IllegalArgumentException e) {
      System.err.println(e.getMessage());
      code = 2;
    }
    System.exit(code);
  }

  /** Runs and prints; 1 when a benchmark gave no result. */
  static int run(Options options) throws RunnerException, IOException {
    for (String device : options.getParameter("device").orElse(List.of("auto"))) {
      DeviceSelection selection = DeviceSelection.of(device, DeviceSelection.Options.defaults());
      System.out.println(
          "device " + device + ": " + selection.chosen() + " (" + selection.reason() + ")");
    }
    PrintStream out =
        options.getOutput().hasValue()
            ? new PrintStream(options.getOutput().get(), StandardCharsets.UTF_8)
            : System.out;
    RunLog log = new RunLog(out, options.verbosity().orElse(VerboseMode.NORMAL));
    Collection<RunResult> results = new Runner(options, log.format()).run();
    ResultTable table = ResultTable.of(results, log.failed(results));
    System.out.println();
    System.out.print(table);
    return table.failures().isEmpty() ? 0 : 1;
  }
}
