package autosparse.trainer.options;

import autosparse.schedule.Op;
import autosparse.schedule.Split;
import java.nio.file.Path;
import java.util.List;

/**
 * What to learn from, or to judge on.
 *
 * @param data folder of measured schedules, a subfolder per operator
 * @param matrices folder of the matrices they were measured on
 * @param ops operators, at least one
 * @param only matrices to keep to; empty for all of the data
 * @param split how schedules are held out
 * @param heldOut base matrices to hold out with {@link Split.Kind#BASE}; empty to choose by seed
 * @param splitSeed of the random choice of what is held out
 */
public record DataOptions(
    Path data,
    Path matrices,
    List<Op> ops,
    List<String> only,
    Split.Kind split,
    List<String> heldOut,
    long splitSeed) {
  /** Throws {@link autosparse.schedule.InputException} if they do not fit together. */
  public DataOptions {
    ops = ops.stream().distinct().toList();
    only = List.copyOf(only);
    heldOut = List.copyOf(heldOut);
    Require.that(!ops.isEmpty(), "--op", "nothing", "spmm, spmv or sddmm, separated by commas");
    Require.that(
        heldOut.isEmpty() || split == Split.Kind.BASE,
        "--held-out",
        String.join(",", heldOut),
        "to be used with --split base only");
  }
}
