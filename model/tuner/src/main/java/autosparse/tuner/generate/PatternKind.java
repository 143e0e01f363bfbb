package autosparse.tuner.generate;

import autosparse.schedule.InputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Kinds of sparsity pattern that can be generated. */
public enum PatternKind {
  /** Around the diagonal, half of the band filled: 1-D meshes, ordered finite elements. */
  BAND,
  /** Dense square blocks on a grid: several unknowns a node. */
  BLOCKS,
  /** Recursive matrix (Chakrabarti, Zhan, Faloutsos, SDM 2004): social and web graphs. */
  RMAT,
  /** Anywhere with equal chance. */
  UNIFORM,
  /** Finite differences on a grid, 5 or 9 points in two dimensions, 7 in three. */
  STENCIL,
  /** Row lengths by a power law, columns anywhere: few rows hold most. */
  POWERLAW,
  /** Diagonal, first rows and first columns full: coupled systems, constraints. */
  ARROW,
  /** Every nonzero of a given matrix becomes a block, partly filled. */
  EXPAND,
  /** A given matrix scaled to another shape. */
  RESIZE;

  /** Lower-case name, as on the command line and in matrices' names. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether it is made from a given matrix. */
  public boolean isVariant() {
    return this == EXPAND || this == RESIZE;
  }

  /**
   * The kind of a name.
   *
   * @throws InputException if there is none; the message lists those there are
   */
  public static PatternKind parse(String id) {
    for (PatternKind kind : values()) {
      if (kind.id().equals(id)) {
        return kind;
      }
    }
    throw new InputException(
        "kind "
            + InputException.quote(id)
            + ", expected "
            + Arrays.stream(values()).map(PatternKind::id).collect(Collectors.joining(", ")));
  }
}
