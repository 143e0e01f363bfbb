package autosparse.benchmarks;

import autosparse.engine.RandomStream;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.SparsityPattern;
import java.nio.file.Path;
import java.util.Arrays;

/** The matrix that a benchmark runs on. */
final class Patterns {
  private static final int BAND_ROWS = 20_000;
  private static final int BAND_REACH = 16;

  private Patterns() {}

  /**
   * The pattern of a matrix file, or a band of 20,000 rows, half of whose coordinates within 16
   * columns of the diagonal are active (about 330,000 sites).
   *
   * @param file {@code .csr}, {@code .mtx} or {@code .mtx.gz}; empty for the band
   */
  static Sites.Pattern of(String file) {
    if (file.isEmpty()) {
      return band();
    }
    SparsityPattern matrix = MatrixReader.read(Path.of(file));
    return new Sites.Pattern(matrix.rows(), matrix.cols(), matrix.rowPointers(), matrix.columns());
  }

  private static Sites.Pattern band() {
    RandomStream random = RandomStream.named(1, "band");
    long[] pointers = new long[BAND_ROWS + 1];
    int[] columns = new int[BAND_ROWS * (2 * BAND_REACH + 1)];
    int count = 0;
    for (int row = 0; row < BAND_ROWS; row++) {
      int from = Math.max(0, row - BAND_REACH);
      int to = Math.min(BAND_ROWS - 1, row + BAND_REACH);
      for (int column = from; column <= to; column++) {
        if (random.nextInt(2) == 0) {
          columns[count++] = column;
        }
      }
      pointers[row + 1] = count;
    }
    return new Sites.Pattern(BAND_ROWS, BAND_ROWS, pointers, Arrays.copyOf(columns, count));
  }
}
