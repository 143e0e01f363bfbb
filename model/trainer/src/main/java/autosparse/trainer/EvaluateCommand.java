package autosparse.trainer;

import autosparse.trainer.options.EvaluateOptions;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
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
      "imported weights on all schedules of the data that are given."
    })
final class EvaluateCommand implements Callable<Integer> {
  /** What decides which schedules were held out from a run. */
  private static final List<String> FROM_RUN =
      List.of("data", "matrices", "op", "only", "split", "held-out", "split-seed");

  @Spec private CommandSpec spec;
  @ParentCommand private Main main;

  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "FILE|RUN",
      description = "A safetensors file, or a run's folder: its newest whole checkpoint.")
  private Path checkpoint;

  @Mixin private DataArguments data;

  /** Of the split that files are judged on, which say nothing of one. */
  private static final long SPLIT_SEED = 1;

  @Mixin private DeviceArguments device;

  @Override
  public Integer call() {
    if (!RunFolder.isRun(checkpoint)) {
      return judge(main);
    }
    List<String> arguments =
        ResolvedOptions.complete(
            spec.commandLine().getParseResult(), ResolvedOptions.ofRun(checkpoint), FROM_RUN);
    EvaluateCommand completed = new EvaluateCommand();
    Main.configure(new CommandLine(completed)).parseArgs(arguments.toArray(String[]::new));
    return completed.judge(main);
  }

  private int judge(Main console) {
    EvaluateOptions options =
        new EvaluateOptions(
            CheckpointArgument.resolve(checkpoint, console),
            data.toOptions(SPLIT_SEED),
            device.toOptions());
    return new Evaluation(options, console).run();
  }
}
