package autosparse.trainer;

import autosparse.trainer.options.EvaluateOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code evaluate}: judges a checkpoint on measured schedules. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Judge a checkpoint on held-out schedules, beside the baselines.",
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar evaluate --checkpoint runs/spmm \\",
      "    --data ../shared/data/records --matrices ../shared/data/matrices --op spmm"
    })
final class EvaluateCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "FILE|RUN",
      description = "A safetensors file, or a run's folder: its newest whole checkpoint.")
  private Path checkpoint;

  @Mixin private DataArguments data;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the split: use the run's, or the model has seen what it is judged on.")
  private long seed;

  @Mixin private DeviceArguments device;

  @Override
  public Integer call() {
    EvaluateOptions options =
        new EvaluateOptions(
            CheckpointArgument.resolve(checkpoint, main),
            data.toOptions(),
            device.toOptions(),
            seed);
    return new Evaluation(options, main).run();
  }
}
