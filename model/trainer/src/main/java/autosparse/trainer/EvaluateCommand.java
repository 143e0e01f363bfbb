package autosparse.trainer;

import autosparse.trainer.options.EvaluateOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code evaluate}: judges a checkpoint on measured schedules. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Judge a checkpoint on measured schedules, beside the baselines.",
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar evaluate --checkpoint runs/spmm",
      "A run is judged on the data and the split that it was started with, unless others are given;",
      "imported weights on all schedules of the data that are given. Several runs, --checkpoint A,B,C,",
      "have to be of the same data and split."
    })
final class EvaluateCommand implements Callable<Integer> {
  /** What decides which schedules were held out from a run. */
  private static final List<String> FROM_RUN =
      List.of("data", "matrices", "op", "only", "split", "held-out", "split-seed");

  @Spec private CommandSpec spec;
  @ParentCommand private Main main;

  @Mixin private NetworkArguments checkpoints;

  @Mixin private DataArguments data;

  /** Of the split that files are judged on, which say nothing of one. */
  private static final long SPLIT_SEED = 1;

  @Mixin private DeviceArguments device;

  @Override
  public Integer call() {
    List<Path> runs = checkpoints.runs();
    if (runs.isEmpty()) {
      return judge(main);
    }
    ParseResult given = spec.commandLine().getParseResult();
    ResolvedOptions.requireSame(given, runs, FROM_RUN);
    List<String> arguments =
        ResolvedOptions.complete(given, ResolvedOptions.ofRun(runs.get(0)), FROM_RUN);
    EvaluateCommand completed = new EvaluateCommand();
    Main.configure(new CommandLine(completed)).parseArgs(arguments.toArray(String[]::new));
    return completed.judge(main);
  }

  private int judge(Main console) {
    EvaluateOptions options =
        new EvaluateOptions(
            checkpoints.resolve(console), data.toOptions(SPLIT_SEED), device.toOptions());
    return new Evaluating(options, console).run();
  }
}
