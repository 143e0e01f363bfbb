package autosparse.benchmarks;

import autosparse.costmodel.memory.PatternRows;
import autosparse.engine.sparse.RowSource;
import autosparse.schedule.CsrFile;
import autosparse.schedule.InputException;
import autosparse.tuner.generate.GeneratedRows;
import autosparse.tuner.generate.MatrixRows;
import autosparse.tuner.generate.PatternKind;
import autosparse.tuner.generate.PatternSpec;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Matrices of any size whose rows are made, or read from disk, when they are asked for. */
final class Sources {
  private static final int DIAGONALS = 9;
  private static final int LEAST_SCALE = 10;
  private static final Pattern GENERATED = Pattern.compile("(band|rmat|uniform):([1-9]\\d{2,10})");

  /** Nine full diagonals. */
  private record Band(int rows) implements MatrixRows {
    @Override
    public int cols() {
      return rows;
    }

    @Override
    public void forEachRow(int from, int to, Visitor visitor) {
      int reach = DIAGONALS / 2;
      int[] columns = new int[DIAGONALS];
      for (int row = from; row < to; row++) {
        int first = Math.max(0, row - reach);
        int count = Math.min(rows - 1, row + reach) - first + 1;
        for (int c = 0; c < count; c++) {
          columns[c] = first + c;
        }
        visitor.row(row, columns, count);
      }
    }
  }

  private Sources() {}

  /**
   * A matrix by its name: {@code band:N} and {@code rmat:N} as {@link Patterns} has them; {@code
   * uniform:N} with N/8 rows and columns; a {@code .csr} file, which is read strip by strip and
   * stays open; another file, which is read at once.
   */
  static RowSource of(String name) {
    Matcher generated = GENERATED.matcher(name);
    if (generated.matches()) {
      long nonzeros = Long.parseLong(generated.group(2));
      return GeneratedRows.of(
          switch (generated.group(1)) {
            case "band" -> new Band(rows(name, nonzeros / DIAGONALS));
            case "rmat" -> recursive(name, nonzeros);
            default -> uniform(name, nonzeros);
          });
    }
    if (name.matches("(band|rmat|uniform):.*")) {
      throw new InputException(
          "matrix " + name + ", expected a number of nonzeros from 100 on after the colon");
    }
    return name.endsWith(".csr") ? new PatternRows(CsrFile.open(Path.of(name))) : Patterns.of(name);
  }

  private static int rows(String name, long rows) {
    if (rows > PatternSpec.MAX_EXTENT) {
      throw new InputException(
          "matrix " + name + " has " + rows + " rows, expected at most " + PatternSpec.MAX_EXTENT);
    }
    return (int) rows;
  }

  private static MatrixRows recursive(String name, long nonzeros) {
    int scale = Math.max(LEAST_SCALE, 63 - Long.numberOfLeadingZeros(nonzeros / 8));
    int extent = rows(name, 1L << scale);
    return autosparse.tuner.generate.Patterns.of(
        PatternSpec.of(PatternKind.RMAT, extent, extent, nonzeros, 1));
  }

  private static MatrixRows uniform(String name, long nonzeros) {
    int extent = rows(name, nonzeros / 8);
    return autosparse.tuner.generate.Patterns.of(
        PatternSpec.of(PatternKind.UNIFORM, extent, extent, nonzeros, 1));
  }
}
