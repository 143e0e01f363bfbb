package autosparse.trainer.options;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Everything {@code show} was asked for.
 *
 * @param schedule a line in AutoSparse's encoding, with or without a latency
 * @param matrix a matrix file; its shape counts, and how large it is when packed
 * @param shape rows, columns and nonzeros where there is no matrix file
 * @param denseSize extent of the dense axis; empty = that of AutoSparse's records
 * @param source whether to print the C function too
 */
public record ShowOptions(
    String schedule,
    Op op,
    Optional<Path> matrix,
    Optional<Shape> shape,
    Optional<Long> denseSize,
    boolean source) {

  /**
   * The shape of a matrix.
   *
   * @param nnz nonzeros
   */
  public record Shape(long rows, long cols, long nnz) {
    /** Throws {@link InputException} for a value out of range. */
    public Shape {
      Require.positive("--rows", rows);
      Require.positive("--cols", cols);
      Require.that(nnz >= 0, "--nnz", nnz, "a whole number from 0 up");
    }
  }

  /** Throws {@link InputException} for a value out of range or a contradiction. */
  public ShowOptions {
    denseSize.ifPresent(size -> Require.positive("--dense", size));
    if (matrix.isPresent() == shape.isPresent()) {
      throw new InputException(
          "--matrix or --rows, --cols and --nnz: expected one of them, and the three together");
    }
    if (denseSize.isPresent() && op.denseAxis().isEmpty()) {
      throw new InputException(
          "--dense: " + denseSize.get() + ", but " + op.id() + " has no dense axis");
    }
  }
}
