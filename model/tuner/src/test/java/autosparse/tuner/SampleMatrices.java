package autosparse.tuner;

import autosparse.schedule.SparsityPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/** Small matrices of awkward shapes. */
public final class SampleMatrices {
  private SampleMatrices() {}

  /** All of them; the same for each call. */
  public static List<SparsityPattern> all() {
    return List.of(
        random("no_split_divides", 37, 53, 0.15, 1),
        random("primes", 101, 89, 0.03, 2),
        random("wide", 3, 301, 0.2, 3),
        random("tall", 257, 5, 0.3, 4),
        random("one_row", 1, 77, 0.4, 5),
        random("one_column", 71, 1, 0.5, 6),
        random("one_by_one", 1, 1, 1.1, 7),
        random("full", 19, 21, 1.1, 8),
        emptyRowsAndColumns(),
        SparsityPattern.of("no_nonzeros", 23, 31, new long[24], new int[0]),
        random("power_of_two", 64, 128, 0.05, 9),
        arrow(61));
  }

  /** Each place filled with a probability; 1 or more = all. */
  public static SparsityPattern random(String name, int rows, int cols, double density, long seed) {
    RandomGenerator random = new SplittableRandom(seed);
    long[] starts = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < cols; column++) {
        if (random.nextDouble() < density) {
          columns.add(column);
        }
      }
      starts[row + 1] = columns.size();
    }
    return SparsityPattern.of(
        name, rows, cols, starts, columns.stream().mapToInt(Integer::intValue).toArray());
  }

  /** A few nonzeros far apart, first and last rows and columns empty, and long gaps between. */
  private static SparsityPattern emptyRowsAndColumns() {
    int rows = 300;
    long[] starts = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      if (row % 97 == 40) {
        columns.addAll(List.of(row % 7 + 1, 100, 150 + row / 5));
      }
      starts[row + 1] = columns.size();
    }
    return SparsityPattern.of(
        "empty_rows_and_columns",
        rows,
        290,
        starts,
        columns.stream().mapToInt(Integer::intValue).toArray());
  }

  /** First row, first column and diagonal: one long row, many short ones. */
  private static SparsityPattern arrow(int size) {
    long[] starts = new long[size + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < size; row++) {
      TreeSet<Integer> line = new TreeSet<>(List.of(0, row));
      for (int column = 0; row == 0 && column < size; column++) {
        line.add(column);
      }
      columns.addAll(line);
      starts[row + 1] = columns.size();
    }
    return SparsityPattern.of(
        "arrow", size, size, starts, columns.stream().mapToInt(Integer::intValue).toArray());
  }
}
