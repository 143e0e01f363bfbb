package autosparse.trainer.options;

import autosparse.schedule.Op;
import autosparse.tuner.collect.CollectSettings;
import autosparse.tuner.measure.MeasureSettings;
import java.nio.file.Path;
import java.util.List;

/**
 * A data set to collect.
 *
 * @param matrices folder of matrices
 * @param ops operators, in the order in which a matrix's tasks are collected
 * @param settings what is drawn
 * @param measuring how it is measured
 * @param out the data set's folder
 * @param resume whether to go on with what is there
 */
public record CollectOptions(
    Path matrices,
    List<Op> ops,
    CollectSettings settings,
    MeasureSettings measuring,
    Path out,
    boolean resume) {
  /** Throws {@link autosparse.schedule.InputException} if there is no operator. */
  public CollectOptions {
    ops = ops.stream().distinct().toList();
    Require.that(!ops.isEmpty(), "--op", "nothing", "spmm, spmv or sddmm, separated by commas");
  }
}
