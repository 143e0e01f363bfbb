package autosparse.trainer.options;

import autosparse.tuner.generate.MatrixWriter;
import autosparse.tuner.generate.PatternKind;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Matrices to generate.
 *
 * @param kind their kind; empty = a mix of all
 * @param rows number of rows, where the kind has one
 * @param cols number of columns; as many as rows where empty
 * @param nnz nonzeros to aim for
 * @param parameter what the kind has beside; the usual where empty
 * @param matrix what a variant is made from
 * @param block rows x columns of the block that a nonzero becomes, or of the resized matrix
 * @param bounds of the sizes in a mix
 * @param count number of matrices
 * @param seed of all draws
 * @param format file format; where empty, what the suffix of {@code out} says, else mtx.gz
 * @param out a file, or a folder
 * @param force whether to write over files that are there
 */
public record GenerateOptions(
    Optional<PatternKind> kind,
    OptionalInt rows,
    OptionalInt cols,
    OptionalLong nnz,
    OptionalDouble parameter,
    Optional<Path> matrix,
    Optional<Shape> block,
    Bounds bounds,
    int count,
    long seed,
    Optional<MatrixWriter.Format> format,
    Path out,
    boolean force) {
  /** Two extents, written {@code 16x4}. */
  public record Shape(int rows, int cols) {}

  /** Sizes of a mix. */
  public record Bounds(int minRows, int maxRows, long minNnz, long maxNnz) {}

  /** Throws {@link autosparse.schedule.InputException} if they do not fit together. */
  public GenerateOptions {
    Require.that(count >= 1 && count <= 10_000, "--count", count, "1 to 10000");
    boolean variant = kind.isPresent() && kind.get().isVariant();
    String name = kind.map(PatternKind::id).orElse("mix");
    require(variant, matrix.isPresent(), "--matrix", name);
    require(variant, block.isPresent(), "--shape", name);
    boolean plain = kind.isPresent() && !variant;
    require(plain, rows.isPresent(), "--rows", name);
    Require.that(
        parameter.isEmpty() || (kind.isPresent() && kind.get() != PatternKind.RESIZE),
        "--parameter",
        parameter.orElse(0),
        "to be left off with --kind " + name);
    Require.that(
        count == 1 || !kind.equals(Optional.of(PatternKind.RESIZE)),
        "--count",
        count,
        "1 with --kind resize, which draws nothing");
    boolean counted = plain && kind.get() != PatternKind.STENCIL;
    require(counted, nnz.isPresent(), "--nnz", name);
    Require.that(
        plain || cols.isEmpty(), "--cols", cols.orElse(0), "to be left off with --kind " + name);
  }

  private static void require(boolean needed, boolean given, String option, String kind) {
    Require.that(
        needed == given,
        option,
        given ? "given" : "missing",
        needed ? "a value with --kind " + kind : "to be left off with --kind " + kind);
  }
}
