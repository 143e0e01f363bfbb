package autosparse.tuner.generate;

import autosparse.schedule.SparsityPattern;

/**
 * A sparsity pattern, row after row, that need not be in memory. Every pass over it gives the same
 * rows.
 */
public interface MatrixRows {
  /** Takes one row. */
  @FunctionalInterface
  interface Visitor {
    /**
     * Called for each row in turn.
     *
     * @param row its number, from 0
     * @param columns strictly ascending; valid until the call returns
     * @param count how many of them there are
     */
    void row(int row, int[] columns, int count);
  }

  /** Number of rows. */
  int rows();

  /** Number of columns. */
  int cols();

  /**
   * Visits some rows in order; several threads may do so at once.
   *
   * @param to behind the last row
   */
  void forEachRow(int from, int to, Visitor visitor);

  /** Visits all rows in order. */
  default void forEachRow(Visitor visitor) {
    forEachRow(0, rows(), visitor);
  }

  /** Number of nonzeros, which takes a pass over all rows. */
  default long nnz() {
    long[] nnz = {0};
    forEachRow((row, columns, count) -> nnz[0] += count);
    return nnz[0];
  }

  /**
   * The whole pattern in memory.
   *
   * @throws IllegalArgumentException if it has more nonzeros than an array can hold
   */
  default SparsityPattern toPattern(String name) {
    long[] pointers = new long[rows() + 1];
    forEachRow((row, columns, count) -> pointers[row + 1] = pointers[row] + count);
    long nnz = pointers[rows()];
    if (nnz > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(nnz + " nonzeros: expected fewer than 2^31");
    }
    int[] all = new int[(int) nnz];
    forEachRow(
        (row, columns, count) -> System.arraycopy(columns, 0, all, (int) pointers[row], count));
    return SparsityPattern.of(name, rows(), cols(), pointers, all);
  }

  /** A pattern that is in memory. */
  static MatrixRows of(SparsityPattern pattern) {
    return new MatrixRows() {
      @Override
      public int rows() {
        return pattern.rows();
      }

      @Override
      public int cols() {
        return pattern.cols();
      }

      @Override
      public void forEachRow(int from, int to, Visitor visitor) {
        int[] columns = new int[0];
        for (int row = from; row < to; row++) {
          int count = (int) (pattern.rowEnd(row) - pattern.rowStart(row));
          if (count > columns.length) {
            columns = new int[Math.max(count, 2 * columns.length)];
          }
          for (int p = 0; p < count; p++) {
            columns[p] = pattern.column(pattern.rowStart(row) + p);
          }
          visitor.row(row, columns, count);
        }
      }
    };
  }
}
