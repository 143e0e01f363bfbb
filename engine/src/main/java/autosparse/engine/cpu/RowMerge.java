package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;

/** Merges {@code stride} sorted lattice rows into one row of the next level. */
final class RowMerge {
  /** Columns written at once. */
  private static final int CHUNK = 4096;

  private final Sites sites;
  private final int stride;
  private final long[] firstRows;
  private final IndexView rowPointers;
  private final IndexView columns;

  /**
   * @param firstRows [B+1] first output row of each matrix
   */
  RowMerge(Sites sites, int stride, long[] firstRows) {
    this.sites = sites;
    this.stride = stride;
    this.firstRows = firstRows;
    rowPointers = new IndexView(sites.rowPointers());
    columns = new IndexView(sites.columns());
  }

  /** Number of distinct coarse columns of an output row. */
  long count(long row) {
    Cursor cursor = new Cursor(row);
    long count = 0;
    while (cursor.next() >= 0) {
      count++;
    }
    return count;
  }

  /** Writes the distinct coarse columns of an output row from element {@code start} on. */
  void fill(long row, Tensor target, long start, Scratch scratch) {
    int[] chunk = scratch.ints(0, CHUNK);
    Cursor cursor = new Cursor(row);
    long written = start;
    int filled = 0;
    for (long column = cursor.next(); column >= 0; column = cursor.next()) {
      chunk[filled++] = (int) column;
      if (filled == CHUNK) {
        target.write(written, chunk, 0, filled);
        written += filled;
        filled = 0;
      }
    }
    target.write(written, chunk, 0, filled);
  }

  /** Position in each of the rows that make up one output row. */
  private final class Cursor {
    private final long[] at;
    private final long[] end;

    /** Coarse column that each row stands at; past the row's end, a value above any column. */
    private final int[] head;

    Cursor(long row) {
      int matrix = matrixOf(firstRows, row);
      long first = sites.firstRow(matrix) + (row - firstRows[matrix]) * stride;
      int rows = (int) Math.min(stride, sites.firstRow(matrix + 1) - first);
      at = new long[rows];
      end = new long[rows];
      head = new int[rows];
      for (int i = 0; i < rows; i++) {
        at[i] = rowPointers.getLong(first + i);
        end[i] = rowPointers.getLong(first + i + 1);
        head[i] = at[i] < end[i] ? columns.getInt(at[i]) / stride : Integer.MAX_VALUE;
      }
    }

    /** The next coarse column, or -1; a stride of 2 or more keeps them below 2^30. */
    long next() {
      int least = Integer.MAX_VALUE;
      for (int value : head) {
        least = Math.min(least, value);
      }
      if (least == Integer.MAX_VALUE) {
        return -1;
      }
      for (int i = 0; i < head.length; i++) {
        while (head[i] == least) {
          at[i]++;
          head[i] = at[i] < end[i] ? columns.getInt(at[i]) / stride : Integer.MAX_VALUE;
        }
      }
      return least;
    }
  }

  /** The matrix that owns a lattice row: the last whose first row is not above it. */
  static int matrixOf(long[] firstRows, long row) {
    int found = Arrays.binarySearch(firstRows, row);
    int matrix = found >= 0 ? found : -found - 2;
    while (firstRows[matrix + 1] <= row) {
      matrix++; // skips matrices without rows that start at the same row
    }
    return matrix;
  }
}
