package autosparse.schedule;

/**
 * How large a matrix can be by its file, known before it is read.
 *
 * @param rows number of rows
 * @param cols number of columns
 * @param mostNonzeros of a {@code .csr} file their number; of a Matrix Market file as many as its
 *     size line says, twice that where it is symmetric, and no more than so long a file can hold
 * @param readingBytes bytes of heap that reading takes besides the pattern itself
 */
public record MatrixSize(long rows, long cols, long mostNonzeros, long readingBytes) {
  /** Bytes of heap of the pattern in memory. */
  public long patternBytes() {
    return MatrixPattern.bytes(rows, mostNonzeros);
  }
}
