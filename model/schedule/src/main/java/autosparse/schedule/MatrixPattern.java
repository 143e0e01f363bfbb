package autosparse.schedule;

/**
 * The positions of a matrix's nonzeros, in memory ({@link SparsityPattern}), left on disk ({@link
 * CsrFile}) or made when they are read: sizes, counts, and rows by ranges. Ranges may be read by
 * several threads.
 */
public interface MatrixPattern extends AutoCloseable {
  /**
   * Some rows.
   *
   * @param rowPointers [rows + 1], from 0 to their number of nonzeros
   * @param columns [nonzeros], strictly ascending within each row
   */
  record Rows(long[] rowPointers, int[] columns) {
    /** Number of rows. */
    public int count() {
      return rowPointers.length - 1;
    }
  }

  /** The matrix's name, without folder or suffix. */
  String name();

  /** Number of rows. */
  int rows();

  /** Number of columns. */
  int cols();

  /** Number of nonzeros. */
  long nnz();

  /**
   * Index of a row's first nonzero; for {@code row == rows()} the number of nonzeros.
   *
   * @throws InputException when a file has no such index there
   */
  long rowStart(int row);

  /**
   * Reads rows {@code from} to {@code to} (exclusive).
   *
   * @throws InputException naming the file, row, value and what was expected, when one is broken
   */
  Rows read(int from, int to);

  /** What splits leave of this pattern; counted when first asked for, then kept. */
  PatternCounts counts();

  /**
   * Bytes that the rows of one {@link #read} are meant to take at the most, where so few can be
   * asked for; no limit for a pattern in memory.
   */
  long rangeBytes();

  /**
   * A hash of the shape and of the place of every nonzero: that of one matrix is the same however
   * it is stored and read. Reads all rows once, in order, about a mebibyte at a time. It tells
   * mistakes apart, not forgeries.
   *
   * @throws InputException when a file is broken
   */
  default long patternHash() {
    long hash = Hashing.mix(Hashing.mix(rows() + 1L) + cols());
    int row = 0;
    while (row < rows()) {
      int end = rangeEnd(row, rows(), Math.min(PatternCounts.CHUNK_BYTES, rangeBytes()));
      Rows read = read(row, end);
      for (int r = 0; r < read.count(); r++) {
        for (int p = (int) read.rowPointers()[r]; p < read.rowPointers()[r + 1]; p++) {
          hash = (hash ^ read.columns()[p]) * Hashing.ODD;
        }
        // Where a row ends is hashed too, and what was multiplied upwards comes down again.
        hash = Hashing.mix(hash + Hashing.ODD);
      }
      row = end;
    }
    return hash;
  }

  /** Bytes of heap of so many rows with so many nonzeros as {@link Rows}, or of a whole pattern. */
  static long bytes(long rows, long nonzeros) {
    return HeapSize.array(rows + 1, Long.BYTES) + HeapSize.array(nonzeros, Integer.BYTES);
  }

  /**
   * Where a range of at most so many bytes ends.
   *
   * @param from its first row
   * @param to behind the last row that it may have
   * @return {@code from} + 1 where even that row takes more
   */
  default int rangeEnd(int from, int to, long bytes) {
    long start = rowStart(from);
    int fits = from + 1;
    int above = to + 1;
    // The one most often asked for first: everything.
    int end = to;
    while (above - fits > 1) {
      if (bytes(end - from, rowStart(end) - start) <= bytes) {
        fits = end;
      } else {
        above = end;
      }
      end = fits + (above - fits) / 2;
    }
    return fits;
  }

  @Override
  void close();
}
