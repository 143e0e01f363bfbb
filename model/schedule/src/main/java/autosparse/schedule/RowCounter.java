package autosparse.schedule;

/** Counts something of a pattern whose rows it is shown in order, some at a time. */
interface RowCounter {
  /** Bytes that it takes between {@link #begin} and {@link #end}. */
  long bytes();

  /** Before the first rows of a pass. */
  default void begin() {}

  /** Takes some rows, the first of which is row {@code first}; it may leave out some. */
  void add(int first, MatrixPattern.Rows rows);

  /** The first row from {@code row} on that it does not leave out; the number of rows for none. */
  default int next(int row) {
    return row;
  }

  /** Behind the last of the rows from {@code row} on that it has all need of. */
  int end(int row);

  /** After the last rows. */
  default void end() {}
}
