package autosparse.trainer.options;

import autosparse.costmodel.ModelKind;
import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.List;

/**
 * Everything {@code memory-profile} was asked for.
 *
 * @param matrices folder of matrices
 * @param op operator whose schedules a step ranks
 * @param batch schedules of one step
 * @param budgets bytes of device memory to find a way for
 * @param gpu name of a GPU that is planned for and need not be here; empty for the chosen device
 * @param measure whether to run the steps too, on the chosen device
 * @param out folder for the page and the files beside it
 */
public record ProfileOptions(
    Path matrices,
    Op op,
    ModelOptions model,
    int batch,
    List<Budget> budgets,
    String gpu,
    boolean measure,
    Path out,
    DeviceOptions device) {
  /**
   * A budget.
   *
   * @param text as the user wrote it
   */
  public record Budget(String text, long bytes) {}

  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public ProfileOptions {
    budgets = List.copyOf(budgets);
    Require.that(batch >= 2 && batch <= 1 << 20, "--batch", batch, "2 to 1048576");
    Require.that(
        model.model() != ModelKind.FEATURES_MLP && model.model() != ModelKind.WORK_MLP,
        "--model",
        model.model(),
        "a network that reads patterns");
    Require.that(gpu.isEmpty() || !measure, "--measure", "with --gpu " + gpu, "one of the two");
  }
}
