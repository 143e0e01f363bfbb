package autosparse.tuner.format;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import java.util.Arrays;

/**
 * Reads a matrix back out of its levels, by walking them from the root as a kernel does.
 *
 * <p>Padding is told from nonzeros by {@link PackedMatrix#leafOf}, not by value: a stored zero
 * stays.
 */
public final class Unpacker {
  /**
   * A matrix.
   *
   * @param pattern its pattern
   * @param values [nnz], in CSR order
   */
  public record Unpacked(SparsityPattern pattern, float[] values) {}

  private final PackedMatrix packed;

  /** [positions of the level reached]: row and column coordinates gathered on the way to it. */
  private long[] rows = new long[1];

  private long[] columns = new long[1];

  private Unpacker(PackedMatrix packed) {
    this.packed = packed;
  }

  /**
   * Reads a matrix back.
   *
   * @param name what to call it
   * @throws IllegalArgumentException if the levels contradict themselves: a nonzero out of range or
   *     twice, positions that do not ascend
   */
  public static Unpacked unpack(String name, PackedMatrix packed) {
    return new Unpacker(packed).unpack(name);
  }

  private Unpacked unpack(String name) {
    packed.levels().forEach(this::descend);
    int nnz = packed.leafOf().length;
    long[] leaves = packed.leafOf().clone();
    Arrays.sort(leaves);
    int rowCount = Math.toIntExact(packed.problem().rows());
    int columnCount = Math.toIntExact(packed.problem().cols());
    // Leaves to CSR order by one sort of (row, column) keys.
    long[] keys = new long[nnz];
    for (int n = 0; n < nnz; n++) {
      int leaf = Math.toIntExact(leaves[n]);
      if (n > 0 && leaves[n - 1] == leaf) {
        throw new IllegalArgumentException("two nonzeros at position " + leaf);
      }
      if (rows[leaf] >= rowCount || columns[leaf] >= columnCount) {
        throw new IllegalArgumentException(
            "nonzero at row "
                + rows[leaf]
                + ", column "
                + columns[leaf]
                + " of "
                + rowCount
                + " x "
                + columnCount);
      }
      keys[n] = rows[leaf] * columnCount + columns[leaf];
    }
    int[] order = RadixSort.order(keys.clone(), (long) rowCount * columnCount);
    long[] rowPointers = new long[rowCount + 1];
    int[] csrColumns = new int[nnz];
    float[] values = new float[nnz];
    for (int n = 0; n < nnz; n++) {
      int leaf = (int) leaves[order == null ? n : order[n]];
      rowPointers[(int) rows[leaf] + 1]++;
      csrColumns[n] = (int) columns[leaf];
      values[n] = packed.values()[leaf];
    }
    for (int row = 0; row < rowCount; row++) {
      rowPointers[row + 1] += rowPointers[row];
    }
    return new Unpacked(
        SparsityPattern.of(name, rowCount, columnCount, rowPointers, csrColumns), values);
  }

  private void descend(PackedMatrix.Level level) {
    int positions = Math.toIntExact(level.positions());
    int[] parents = parents(level, positions);
    long[] nextRows = new long[positions];
    long[] nextColumns = new long[positions];
    Op op = packed.problem().op();
    boolean isRow = level.format().axis().equals(op.rowAxis());
    for (int p = 0; p < positions; p++) {
      long coordinate = level.mode() == Mode.DENSE ? p % level.extent() : level.coordinates()[p];
      if (coordinate < 0 || coordinate >= level.extent()) {
        throw new IllegalArgumentException(
            "level "
                + level.format().name()
                + " position "
                + p
                + ": coordinate "
                + coordinate
                + ", expected 0 to "
                + (level.extent() - 1));
      }
      long step = coordinate * level.format().stride();
      nextRows[p] = rows[parents[p]] + (isRow ? step : 0);
      nextColumns[p] = columns[parents[p]] + (isRow ? 0 : step);
    }
    rows = nextRows;
    columns = nextColumns;
  }

  /** [positions]: the position of the level above that each position lies under. */
  private int[] parents(PackedMatrix.Level level, int positions) {
    int[] parents = new int[positions];
    if (level.format().isCompressed()) {
      long[] starts = level.positionsArray();
      if (starts[0] != 0 || starts[starts.length - 1] != positions) {
        throw new IllegalArgumentException(
            "level "
                + level.format().name()
                + ": positions from "
                + starts[0]
                + " to "
                + starts[starts.length - 1]
                + ", expected 0 to "
                + positions);
      }
      for (int parent = 0; parent + 1 < starts.length; parent++) {
        // A range that does not ascend is refused by fill.
        Arrays.fill(parents, (int) starts[parent], (int) starts[parent + 1], parent);
      }
      return parents;
    }
    long each = level.mode() == Mode.DENSE ? level.extent() : 1;
    for (int p = 0; p < positions; p++) {
      parents[p] = (int) (p / each);
    }
    return parents;
  }
}
