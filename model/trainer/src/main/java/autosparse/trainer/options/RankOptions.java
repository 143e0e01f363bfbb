package autosparse.trainer.options;

import autosparse.schedule.Op;
import java.nio.file.Path;

/**
 * Everything {@code rank} was asked for.
 *
 * @param checkpoint a safetensors file
 * @param matrix a matrix file
 * @param schedules a file of schedules, one a line
 * @param top how many to print
 */
public record RankOptions(
    Path checkpoint, Op op, Path matrix, Path schedules, int top, DeviceOptions device) {
  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public RankOptions {
    Require.positive("--top", top);
  }
}
