package autosparse.trainer;

import autosparse.costmodel.checkpoint.Checkpoint;
import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.schedule.InputException;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What {@code --checkpoint} may name: a file, a run's folder, or the checkpoints in it. */
final class CheckpointArgument {
  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "FILE|RUN",
      description = "A safetensors file, or a run's folder: its newest whole checkpoint.")
  private Path given;

  /**
   * The safetensors file that is meant.
   *
   * @throws InputException if there is none
   */
  Path resolve(Main main) {
    return resolve(given, main);
  }

  /**
   * The safetensors file that a file, a run's folder or one of checkpoints stands for.
   *
   * @throws InputException if there is none
   */
  static Path resolve(Path given, Main main) {
    if (!Files.exists(given)) {
      throw new InputException("--checkpoint: " + given + ": no such file or folder");
    }
    if (!Files.isDirectory(given)) {
      return given;
    }
    CheckpointFolder inRun = RunFolder.checkpointsOf(given);
    CheckpointFolder folder =
        Files.isDirectory(inRun.directory()) ? inRun : new CheckpointFolder(given);
    return folder
        .newestValid(main::warn)
        .map(Checkpoint::tensors)
        .orElseThrow(
            () -> new InputException("--checkpoint: " + given + ": no whole checkpoint in it"));
  }
}
