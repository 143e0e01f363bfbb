package autosparse.trainer.options;

import autosparse.costmodel.ModelKind;
import autosparse.schedule.Op;
import autosparse.tuner.generate.PatternKind;
import autosparse.tuner.generate.PatternSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Everything {@code memory-profile} was asked for.
 *
 * @param matrices folder of matrices, if one was named
 * @param generated matrices that are made for the profile
 * @param op operator whose schedules a step ranks
 * @param batch schedules of one step
 * @param budgets bytes of device memory to find a way for
 * @param strategies ways to run a step that are shown besides, whatever the budget
 * @param gpu name of a GPU that is planned for and need not be here; empty for the chosen device
 * @param measure whether to run the steps too, on the chosen device
 * @param out folder for the page and the files beside it
 */
public record ProfileOptions(
    Optional<Path> matrices,
    List<Generated> generated,
    Op op,
    ModelOptions model,
    int batch,
    List<Budget> budgets,
    List<Way> strategies,
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

  /** A kind of strategy, by its name on the command line. */
  public enum Way {
    KEEP_ALL,
    CHECKPOINTS,
    STRIPS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * A matrix to generate.
   *
   * @param kind band, rmat or uniform
   * @param nnz nonzeros to aim for; R-MAT draws so many places, of which some coincide
   */
  public record Generated(PatternKind kind, long nnz) {
    /** Diagonals of a band and, about, nonzeros of a row elsewhere. */
    private static final int PER_ROW = 9;

    /** Nonzeros of a row of an R-MAT matrix, before rows are rounded down to a power of two. */
    private static final int RMAT_PER_ROW = 8;

    /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
    public Generated {
      Require.that(
          kind == PatternKind.BAND || kind == PatternKind.RMAT || kind == PatternKind.UNIFORM,
          "--generate",
          kind.id(),
          "band, rmat or uniform");
      Require.that(nnz >= 1000 && nnz <= 1 << 30, "--generate", nnz, "1000 to 2^30 nonzeros");
    }

    /**
     * Such as {@code band-999980}.
     *
     * @param made nonzeros that the matrix has
     */
    public String name(long made) {
      return kind.id() + "-" + made;
    }

    /**
     * The matrix: a band has nine full diagonals, an R-MAT matrix 2^n rows of eight to sixteen, a
     * uniform one nine a row.
     */
    public PatternSpec spec() {
      int rows =
          Math.toIntExact(
              kind == PatternKind.RMAT ? Long.highestOneBit(nnz / RMAT_PER_ROW) : nnz / PER_ROW);
      double parameter = kind == PatternKind.BAND ? 1 : PatternSpec.usual(kind);
      return new PatternSpec(kind, rows, rows, nnz, parameter, 1);
    }
  }

  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public ProfileOptions {
    generated = List.copyOf(generated);
    budgets = List.copyOf(budgets);
    strategies = List.copyOf(strategies);
    Require.that(
        matrices.isPresent() || !generated.isEmpty(),
        "--matrices",
        "nothing",
        "a folder, or matrices to --generate");
    Require.that(batch >= 2 && batch <= 1 << 20, "--batch", batch, "2 to 1048576");
    Require.that(
        model.model() != ModelKind.FEATURES_MLP && model.model() != ModelKind.WORK_MLP,
        "--model",
        model.model(),
        "a network that reads patterns");
    Require.that(
        device.memoryBudgetBytes() == 0,
        "--memory-budget",
        device.memoryBudgetBytes(),
        "none here: --budgets names those to find a way for");
    Require.that(gpu.isEmpty() || !measure, "--measure", "with --gpu " + gpu, "one of the two");
  }
}
