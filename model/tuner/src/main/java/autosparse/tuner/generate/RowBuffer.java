package autosparse.tuner.generate;

import autosparse.engine.RandomStream;
import java.util.Arrays;

/** The columns of one row while they are being drawn. */
final class RowBuffer {
  private int[] columns = new int[64];
  private int count;

  /** Begins the next row. */
  void clear() {
    count = 0;
  }

  void add(int column) {
    if (count == columns.length) {
      columns = Arrays.copyOf(columns, 2 * count);
    }
    columns[count++] = column;
  }

  /** Adds {@code [from, to)}. */
  void addRange(int from, int to) {
    for (int column = from; column < to; column++) {
      add(column);
    }
  }

  /** Adds {@code wanted} different columns of {@code [from, to)}, or all where there are fewer. */
  void addDistinct(long wanted, int from, int to, RandomStream random) {
    int range = to - from;
    if (wanted >= range) {
      addRange(from, to);
      return;
    }
    if (wanted > range / 2) {
      // Fewer to leave out than to take: as each column in turn, with the chance that is left.
      long left = wanted;
      for (int column = from; left > 0; column++) {
        if (random.nextInt(to - column) < left) {
          add(column);
          left--;
        }
      }
      return;
    }
    int first = count;
    while (count - first < wanted) {
      for (long missing = wanted - (count - first); missing > 0; missing--) {
        add(from + random.nextInt(range));
      }
      sortFrom(first);
    }
  }

  /** Sorts the row and takes out what is double. */
  void sort() {
    sortFrom(0);
  }

  private void sortFrom(int first) {
    Arrays.sort(columns, first, count);
    int kept = first;
    for (int p = first; p < count; p++) {
      if (kept == first || columns[p] != columns[kept - 1]) {
        columns[kept++] = columns[p];
      }
    }
    count = kept;
  }

  /** Hands the row on. */
  void visit(int row, MatrixRows.Visitor visitor) {
    visitor.row(row, columns, count);
  }
}
