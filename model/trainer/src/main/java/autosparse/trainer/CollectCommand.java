package autosparse.trainer;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.trainer.options.CollectOptions;
import autosparse.tuner.collect.CollectSettings;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.TimingSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code collect}: measures schedules into a data set. */
@Command(
    name = "collect",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Measure schedules of operators on matrices into a data set that train --data reads.",
      "",
      "Each schedule becomes C, is compiled, checked against a reference result and timed. Whatever",
      "ends it (Ctrl-C, kill -9, a full disk), --resume goes on: nothing is lost or done twice.",
      "Several machines may collect into one folder, each under its own --worker name; --merge then",
      "joins what they have. A lone worker's is joined at its end."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar generate --kind mix --count 40 --out set/matrices",
      "  java -jar target/trainer.jar collect --op spmv,spmm,sddmm --schedules 64 --out set"
    })
final class CollectCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--matrices",
      paramLabel = "DIR",
      description = "The matrices (default: DIR/matrices of --out).")
  private Path matrices;

  @Option(
      names = "--op",
      split = ",",
      paramLabel = "OP",
      defaultValue = "spmv,spmm,sddmm",
      converter = Converters.OpConverter.class,
      description = "Operators, with commas (default: ${DEFAULT-VALUE}).")
  private List<Op> ops;

  @Option(
      names = "--schedules",
      paramLabel = "N",
      defaultValue = "64",
      description = "Different schedules for each operator and matrix (default: ${DEFAULT-VALUE}).")
  private int schedules;

  @Option(
      names = "--mutations",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description = {
        "Share of mutations of the best so far, after the first round; the",
        "others are drawn from the whole space (default: ${DEFAULT-VALUE})."
      })
  private double mutations;

  @Option(
      names = "--repeats",
      paramLabel = "SHARE",
      defaultValue = "0.1",
      description = {
        "Schedules measured again in a later round, for the noise, on top of",
        "--schedules (default: ${DEFAULT-VALUE})."
      })
  private double repeats;

  @Option(
      names = "--round",
      paramLabel = "N",
      defaultValue = "16",
      description = "Schedules in a round (default: ${DEFAULT-VALUE}).")
  private int round;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads of every schedule; 0 (default) is all processors.")
  private int threads;

  @Option(
      names = "--min-runs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Timed runs of a kernel at least (default: ${DEFAULT-VALUE}).")
  private int minRuns;

  @Option(
      names = "--max-runs",
      paramLabel = "N",
      defaultValue = "20",
      description = "Timed runs at most (default: ${DEFAULT-VALUE}).")
  private int maxRuns;

  @Option(
      names = "--min-total-ms",
      paramLabel = "MS",
      defaultValue = "20",
      description = "Time of all timed runs at least (default: ${DEFAULT-VALUE}).")
  private double minTotalMs;

  @Option(
      names = "--max-ms",
      paramLabel = "MS",
      defaultValue = "1000",
      description = {
        "Longest that one run may take, and all together: a slower schedule is",
        "recorded as timed out (default: ${DEFAULT-VALUE})."
      })
  private double maxMs;

  @Option(
      names = "--cc",
      paramLabel = "NAME",
      defaultValue = "gcc",
      description = "The C compiler (default: ${DEFAULT-VALUE}).")
  private String cc;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of all draws (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--worker",
      paramLabel = "NAME",
      defaultValue = "main",
      description = {
        "Name of this machine's part; workers of other names draw other",
        "schedules (default: ${DEFAULT-VALUE})."
      })
  private String worker;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The data set.")
  private Path out;

  @Option(names = "--resume", description = "Go on with this worker's collection in --out.")
  private boolean resume;

  @Option(
      names = "--merge",
      description = "Measure nothing; join the shards of all workers in --out into records.")
  private boolean merge;

  @Override
  public Integer call() {
    return merge ? Collecting.merge(out, main) : new Collecting(toOptions(), main).run();
  }

  private CollectOptions toOptions() {
    MeasureSettings defaults = MeasureSettings.defaults();
    int allThreads = threads == 0 ? defaults.threads() : threads;
    CollectSettings settings =
        new CollectSettings(schedules, round, mutations, repeats, allThreads, seed, worker);
    try {
      MeasureSettings measuring =
          defaults
              .withThreads(allThreads)
              .withCompile(defaults.compile().withCompiler(cc))
              .withTiming(
                  new TimingSettings(
                      defaults.timing().warmups(), minRuns, maxRuns, minTotalMs, maxMs));
      return new CollectOptions(
          matrices == null ? out.resolve("matrices") : matrices,
          ops,
          settings,
          measuring,
          out,
          resume);
    } catch (IllegalArgumentException range) {
      throw new InputException("collect: " + range.getMessage(), range);
    }
  }
}
