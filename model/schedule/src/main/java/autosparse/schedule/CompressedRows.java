package autosparse.schedule;

/** What can be wrong with compressed rows, wherever they come from. */
final class CompressedRows {
  private CompressedRows() {}

  /** A row pointer that is smaller than the one before. */
  static String wrongPointer(int row, long pointer, long before) {
    return "row pointer " + row + ": " + pointer + ", expected at least the one before, " + before;
  }

  /**
   * A column that there is not, or that does not come after {@code previous}, the one before it in
   * its row (−1 for the first).
   */
  static String wrongColumn(int row, int column, int previous, int cols) {
    if (column < 0 || column >= cols) {
      return "column " + column + " in row " + row + ", expected 0 to " + (cols - 1L);
    }
    return (column == previous ? "duplicate column " : "unsorted column ")
        + column
        + " in row "
        + row
        + " after "
        + previous
        + ", expected strictly ascending columns";
  }
}
