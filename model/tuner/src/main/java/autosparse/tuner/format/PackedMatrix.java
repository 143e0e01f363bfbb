package autosparse.tuner.format;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import java.lang.reflect.Array;
import java.util.List;

/**
 * A sparse matrix in the levels of a schedule (TACO's level formats). {@link Packer} makes it.
 *
 * <p>Positions of a level are numbered through all parents. The arrays are shared, not copied:
 * treat them as read-only.
 *
 * @param problem operator and extents
 * @param levels outermost first
 * @param values [positions of the last level]; 0 where trailing dense levels are padded
 * @param leafOf [nnz]: the last level's position of each nonzero in CSR order
 */
public record PackedMatrix(Problem problem, List<Level> levels, float[] values, long[] leafOf) {

  /**
   * One level.
   *
   * @param format its axis, extent and mode
   * @param positions entries of this level
   * @param positionsArray compressed: [positions of the level above + 1], where the children of
   *     each parent position start; null otherwise
   * @param coordinates [positions]; null for a dense level
   */
  public record Level(
      LevelFormat format, long positions, long[] positionsArray, int[] coordinates) {
    /** How it is stored. */
    public Mode mode() {
      return format.mode();
    }

    /** Coordinates of this level: 0 to extent - 1. */
    public long extent() {
      return format.extent();
    }
  }

  /** Copies the list; throws {@link IllegalArgumentException} if an array has a wrong length. */
  public PackedMatrix {
    levels = List.copyOf(levels);
    long parents = 1;
    for (Level level : levels) {
      LevelFormat format = level.format();
      requireLength(
          format, "positions", level.positionsArray(), format.isCompressed(), parents + 1);
      requireLength(
          format,
          "coordinates",
          level.coordinates(),
          format.mode() != Mode.DENSE,
          level.positions());
      parents = level.positions();
    }
    if (values.length != parents) {
      throw new IllegalArgumentException(
          values.length + " values, expected one per position of the last level, " + parents);
    }
  }

  private static void requireLength(
      LevelFormat format, String what, Object array, boolean wanted, long length) {
    long found = array == null ? -1 : Array.getLength(array);
    if (found != (wanted ? length : -1)) {
      throw new IllegalArgumentException(
          "level "
              + format.name()
              + ": "
              + (found < 0 ? "no" : found)
              + " "
              + what
              + ", expected "
              + (wanted ? length : "none"));
    }
  }

  /** How large it is. */
  public PackedSize size() {
    return new PackedSize(
        levels.stream().map(Level::format).toList(),
        levels.stream().map(Level::positions).toList());
  }

  /** Whether a position array has an entry that does not fit 32 bits. */
  public boolean wide() {
    return size().wide();
  }

  /** Bytes of all arrays as the C side holds them: 32-bit coordinates, positions by width. */
  public long bytes() {
    return size().bytes();
  }
}
