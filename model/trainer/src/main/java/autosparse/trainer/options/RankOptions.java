package autosparse.trainer.options;

import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.List;

/**
 * Everything {@code rank} was asked for.
 *
 * @param checkpoints safetensors files, whose scores are averaged
 * @param matrix a matrix file
 * @param schedules a file of schedules, one a line
 * @param top how many to print
 */
public record RankOptions(
    List<Path> checkpoints, Op op, Path matrix, Path schedules, int top, DeviceOptions device) {
  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public RankOptions {
    checkpoints = List.copyOf(checkpoints);
    Require.positive("--top", top);
  }
}
