package autosparse.trainer;

import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The option that names the networks that score schedules. */
final class NetworkArguments {
  @Option(
      names = "--checkpoint",
      required = true,
      split = ",",
      paramLabel = "FILE|RUN",
      description = {
        "A safetensors file, or a run's folder: its newest whole checkpoint.",
        "Several, with commas: the mean of their standardised scores."
      })
  private List<Path> checkpoints = new ArrayList<>();

  /** Those that are runs' folders. */
  List<Path> runs() {
    return checkpoints.stream().filter(RunFolder::isRun).toList();
  }

  /**
   * The safetensors files that are meant.
   *
   * @throws autosparse.schedule.InputException if there is none for one of them
   */
  List<Path> resolve(Main main) {
    return checkpoints.stream().map(given -> CheckpointArgument.resolve(given, main)).toList();
  }
}
