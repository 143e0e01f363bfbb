package autosparse.schedule;

import java.nio.file.Path;

/**
 * A number of bytes of the heap for patterns. Matrices whose patterns fit are read into it; the
 * others stay on disk and are read by ranges of rows. Nothing is given back.
 */
public final class PatternMemory {
  /**
   * Of each so many bytes one is for a range of a pattern that stays on disk. Four ranges are there
   * at once at the most: two at work in a pass, what is counted of one, and what is made of it.
   */
  private static final int PER_RANGE = 16;

  private static final int RANGES = 4;

  private final long rangeBytes;
  private long left;

  /**
   * @param bytes of all patterns together, ranges of those on disk included
   */
  public PatternMemory(long bytes) {
    this.rangeBytes = bytes / PER_RANGE;
    this.left = bytes - RANGES * rangeBytes;
  }

  /** Bytes that patterns may take where nobody says: half of what the heap has left. */
  public static long ofHeap() {
    Runtime runtime = Runtime.getRuntime();
    return (runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory())) / 2;
  }

  /**
   * Reads a matrix, or opens its file where it does not fit.
   *
   * @return to be closed
   * @throws InputException when the file is broken, or does not fit and is no {@code .csr} file
   */
  public MatrixPattern open(Path file) {
    SparsityPattern held;
    if (MatrixReader.isCsr(file)) {
      CsrFile csr = CsrFile.open(file, rangeBytes);
      if (MatrixPattern.bytes(csr.rows(), csr.nnz()) > left) {
        return csr;
      }
      try (csr) {
        held = csr.whole();
      }
    } else {
      held = MatrixMarketReader.read(file, MatrixReader.name(file), left);
    }
    left -= MatrixPattern.bytes(held.rows(), held.nnz());
    return held;
  }
}
