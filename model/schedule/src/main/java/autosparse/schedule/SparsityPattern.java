package autosparse.schedule;

import java.util.Arrays;
import java.util.Objects;

/**
 * The positions of a sparse matrix's nonzeros in compressed rows: columns ascending within each
 * row, no duplicates. Immutable. Values are not kept: cost depends on the pattern alone.
 */
public final class SparsityPattern implements MatrixPattern {
  private final String name;
  private final int rows;
  private final int cols;
  private final long[] rowPointers;
  private final int[] columns;
  private final PatternCounts counts = new PatternCounts(this);

  /** Takes ownership of the arrays, which the readers have just made and checked. */
  private SparsityPattern(String name, int rows, int cols, long[] rowPointers, int[] columns) {
    this.name = name;
    this.rows = rows;
    this.cols = cols;
    this.rowPointers = rowPointers;
    this.columns = columns;
  }

  /**
   * Makes a pattern from compressed rows.
   *
   * @param name the matrix's name, without folder or suffix
   * @param rows number of rows, at least 0
   * @param cols number of columns, at least 0
   * @param rowPointers [rows + 1], from 0 to nnz; copied
   * @param columns [nnz], strictly ascending within each row; copied
   * @throws IllegalArgumentException naming the row, if the arrays are not such a pattern
   */
  public static SparsityPattern of(
      String name, int rows, int cols, long[] rowPointers, int[] columns) {
    SparsityPattern pattern =
        new SparsityPattern(name, rows, cols, rowPointers.clone(), columns.clone());
    pattern.check();
    return pattern;
  }

  /** As {@link #of}, without copying: only for arrays that nobody else holds. */
  static SparsityPattern wrap(String name, int rows, int cols, long[] rowPointers, int[] columns) {
    SparsityPattern pattern = new SparsityPattern(name, rows, cols, rowPointers, columns);
    pattern.check();
    return pattern;
  }

  private void check() {
    Objects.requireNonNull(name, "name");
    if (rows < 0 || cols < 0) {
      throw new IllegalArgumentException("shape " + rows + " x " + cols + ", expected sizes >= 0");
    }
    if (rowPointers.length != (long) rows + 1) {
      throw new IllegalArgumentException(
          "row pointers: " + rowPointers.length + ", expected rows + 1 = " + ((long) rows + 1));
    }
    if (rowPointers[0] != 0) {
      throw new IllegalArgumentException("row pointer 0: " + rowPointers[0] + ", expected 0");
    }
    if (rowPointers[rows] != columns.length) {
      throw new IllegalArgumentException(
          "row pointer "
              + rows
              + " (the last): "
              + rowPointers[rows]
              + ", expected nnz = "
              + columns.length);
    }
    // All pointers first: a later one may be out of range while the earlier rows look right.
    for (int row = 0; row < rows; row++) {
      if (rowPointers[row + 1] < rowPointers[row]) {
        throw new IllegalArgumentException(
            CompressedRows.wrongPointer(row + 1, rowPointers[row + 1], rowPointers[row]));
      }
    }
    for (int row = 0; row < rows; row++) {
      int previous = -1;
      for (long p = rowPointers[row]; p < rowPointers[row + 1]; p++) {
        int column = columns[(int) p];
        if (column <= previous || column >= cols) {
          throw new IllegalArgumentException(
              CompressedRows.wrongColumn(row, column, previous, cols));
        }
        previous = column;
      }
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public PatternCounts counts() {
    return counts;
  }

  /** The name of the matrix this one was resized from; see {@link MatrixNames#base}. */
  public String baseName() {
    return MatrixNames.base(name);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public long nnz() {
    return columns.length;
  }

  @Override
  public long rowStart(int row) {
    return rowPointers[row];
  }

  /** Index after a row's last nonzero. */
  public long rowEnd(int row) {
    return rowPointers[row + 1];
  }

  /** Column of one nonzero. */
  public int column(long index) {
    return columns[Math.toIntExact(index)];
  }

  @Override
  public Rows read(int from, int to) {
    long start = rowPointers[from];
    long[] pointers = Arrays.copyOfRange(rowPointers, from, to + 1);
    for (int row = 0; start > 0 && row < pointers.length; row++) {
      pointers[row] -= start;
    }
    return new Rows(pointers, Arrays.copyOfRange(columns, (int) start, (int) rowPointers[to]));
  }

  @Override
  public long rangeBytes() {
    return Long.MAX_VALUE;
  }

  /** Nothing to be freed. */
  @Override
  public void close() {}

  /** A copy of the row pointers, [rows + 1]. */
  public long[] rowPointers() {
    return rowPointers.clone();
  }

  /** A copy of the columns, [nnz]. */
  public int[] columns() {
    return columns.clone();
  }

  @Override
  public String toString() {
    return name + " " + rows + " x " + cols + ", nnz " + nnz();
  }
}
