package autosparse.tuner.generate;

import autosparse.schedule.InputException;

/**
 * Which pattern to generate. The same specification gives the same pattern in every JVM.
 *
 * @param kind the kind; not one that needs a matrix
 * @param rows number of rows; a stencil rounds it down to a full grid
 * @param cols number of columns; a stencil's are its rows
 * @param nnz nonzeros to aim for; a stencil has what its points give, R-MAT fewer: it draws so many
 *     places, and those that coincide are one nonzero
 * @param parameter what the kind has beside: edge of a block, points of a stencil, exponent of a
 *     power law, share of a band that is filled, RMAT's chance of the upper left quarter; 0 = the
 *     usual
 * @param seed of all draws
 */
public record PatternSpec(
    PatternKind kind, int rows, int cols, long nnz, double parameter, long seed) {
  /** Largest extent: row pointers must fit an array. */
  public static final int MAX_EXTENT = 1 << 30;

  /** Throws {@link InputException} naming the option that is out of range. */
  public PatternSpec {
    require(!kind.isVariant(), "--kind", kind.id(), "a kind that needs no matrix");
    require(rows >= 1 && rows <= MAX_EXTENT, "--rows", rows, "1 to " + MAX_EXTENT);
    require(cols >= 1 && cols <= MAX_EXTENT, "--cols", cols, "1 to " + MAX_EXTENT);
    require(
        nnz >= 0 && nnz / rows <= cols && nnz <= (long) rows * cols,
        "--nnz",
        nnz,
        "0 to rows x columns, " + (long) rows * cols);
    double p = parameter;
    switch (kind) {
      case BAND -> require(p > 0 && p <= 1, "--parameter", p, "a filled share, above 0 to 1");
      case BLOCKS ->
          require(
              p >= 1 && p <= 1024 && p == Math.rint(p), "--parameter", p, "an edge of 1 to 1024");
      case RMAT -> require(p > 0.25 && p < 1, "--parameter", p, "a chance between .25 and 1");
      case STENCIL -> require(p == 5 || p == 7 || p == 9, "--parameter", p, "5, 7 or 9 points");
      case POWERLAW -> require(p > 0 && p <= 4, "--parameter", p, "an exponent above 0 to 4");
      default -> require(p == 0, "--parameter", p, "0: " + kind.id() + " has none");
    }
    require(
        kind != PatternKind.STENCIL || rows == cols, "--cols", cols, "as many as rows: a stencil");
  }

  /** A kind with its usual parameter. */
  public static PatternSpec of(PatternKind kind, int rows, int cols, long nnz, long seed) {
    return new PatternSpec(kind, rows, cols, nnz, usual(kind), seed);
  }

  /** The parameter of a kind that leaves it open. */
  public static double usual(PatternKind kind) {
    return switch (kind) {
      case BAND -> 0.5;
      case BLOCKS -> 8;
      case RMAT -> 0.57;
      case STENCIL -> 5;
      case POWERLAW -> 1;
      default -> 0;
    };
  }

  private static void require(boolean holds, String option, Object value, String expected) {
    if (!holds) {
      throw new InputException(option + ": " + value + ", expected " + expected);
    }
  }
}
