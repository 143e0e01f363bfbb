package autosparse.benchmarks;

import autosparse.engine.RandomStream;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.generate.PatternKind;
import autosparse.tuner.generate.PatternSpec;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The matrix that a benchmark runs on. */
final class Patterns {
  private static final int DEFAULT_ROWS = 20_000;
  private static final int DEFAULT_REACH = 16;
  private static final int DIAGONALS = 9;
  private static final int LEAST_SCALE = 10;

  private static final Pattern GENERATED = Pattern.compile("(band|rmat):([1-9]\\d{2,8})");

  private Patterns() {}

  /**
   * A pattern by its name.
   *
   * <ul>
   *   <li>{@code band:N}: N/9 rows, the nine diagonals −4 to 4
   *   <li>{@code rmat:N}: N places drawn by R-MAT .57/.19/.19/.05 on 2^⌊log2(N/8)⌋ rows and columns
   *       (2^10 at least), duplicates removed
   *   <li>empty: a band of 20,000 rows, half of whose places within 16 columns of the diagonal are
   *       active (about 330,000 sites)
   *   <li>else a file: {@code .csr}, {@code .mtx} or {@code .mtx.gz}
   * </ul>
   */
  static Sites.Pattern of(String name) {
    if (name.isEmpty()) {
      return halfFilledBand();
    }
    Matcher generated = GENERATED.matcher(name);
    if (generated.matches()) {
      int nonzeros = Integer.parseInt(generated.group(2));
      return generated.group(1).equals("band") ? band(nonzeros / DIAGONALS) : rmat(nonzeros);
    }
    if (name.startsWith("band:") || name.startsWith("rmat:")) {
      throw new InputException(
          "matrix "
              + name
              + ", expected a number of nonzeros from 100 to 999999999 after the colon");
    }
    return of(MatrixReader.read(Path.of(name)));
  }

  private static Sites.Pattern of(SparsityPattern matrix) {
    return new Sites.Pattern(matrix.rows(), matrix.cols(), matrix.rowPointers(), matrix.columns());
  }

  private static Sites.Pattern band(int rows) {
    int reach = DIAGONALS / 2;
    long[] pointers = new long[rows + 1];
    int[] columns = new int[Math.multiplyExact(rows, DIAGONALS)];
    int count = 0;
    for (int row = 0; row < rows; row++) {
      for (int c = Math.max(0, row - reach); c <= Math.min(rows - 1, row + reach); c++) {
        columns[count++] = c;
      }
      pointers[row + 1] = count;
    }
    return new Sites.Pattern(rows, rows, pointers, Arrays.copyOf(columns, count));
  }

  private static Sites.Pattern rmat(int nonzeros) {
    int scale = Math.max(LEAST_SCALE, 31 - Integer.numberOfLeadingZeros(nonzeros / 8));
    PatternSpec spec = PatternSpec.of(PatternKind.RMAT, 1 << scale, 1 << scale, nonzeros, 1);
    return of(autosparse.tuner.generate.Patterns.of(spec).toPattern("rmat"));
  }

  private static Sites.Pattern halfFilledBand() {
    RandomStream random = RandomStream.named(1, "band");
    long[] pointers = new long[DEFAULT_ROWS + 1];
    int[] columns = new int[DEFAULT_ROWS * (2 * DEFAULT_REACH + 1)];
    int count = 0;
    for (int row = 0; row < DEFAULT_ROWS; row++) {
      int from = Math.max(0, row - DEFAULT_REACH);
      int to = Math.min(DEFAULT_ROWS - 1, row + DEFAULT_REACH);
      for (int column = from; column <= to; column++) {
        if (random.nextInt(2) == 0) {
          columns[count++] = column;
        }
      }
      pointers[row + 1] = count;
    }
    return new Sites.Pattern(DEFAULT_ROWS, DEFAULT_ROWS, pointers, Arrays.copyOf(columns, count));
  }
}
