package autosparse.engine.sparse;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Patterns that tests are made from. */
final class Patterns {
  private Patterns() {}

  /** Every coordinate is active with probability {@code density}. */
  static Sites.Pattern random(long rows, long columns, double density, long seed) {
    Random random = new Random(seed);
    long[] rowPointers = new long[(int) rows + 1];
    List<Integer> indices = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        if (random.nextDouble() < density) {
          indices.add(c);
        }
      }
      rowPointers[r + 1] = indices.size();
    }
    return new Sites.Pattern(
        rows, columns, rowPointers, indices.stream().mapToInt(i -> i).toArray());
  }

  /** The pattern of the given (row, column) pairs, which must be sorted. */
  static Sites.Pattern of(long rows, long columns, int[]... coordinates) {
    long[] rowPointers = new long[(int) rows + 1];
    int[] indices = new int[coordinates.length];
    for (int i = 0; i < coordinates.length; i++) {
      rowPointers[coordinates[i][0] + 1]++;
      indices[i] = coordinates[i][1];
    }
    for (int r = 0; r < rows; r++) {
      rowPointers[r + 1] += rowPointers[r];
    }
    return new Sites.Pattern(rows, columns, rowPointers, indices);
  }

  /** Lattice coordinates {matrix, row, column} of all sites, in their order. */
  static List<int[]> coordinates(Sites sites) {
    long[] rowPointers = sites.rowPointers().toLongs();
    int[] columns = sites.columns().toInts();
    List<int[]> result = new ArrayList<>();
    int matrix = 0;
    for (int row = 0; row < sites.rows(); row++) {
      while (row >= sites.firstRow(matrix + 1)) {
        matrix++;
      }
      for (long i = rowPointers[row]; i < rowPointers[row + 1]; i++) {
        result.add(new int[] {matrix, (int) (row - sites.firstRow(matrix)), columns[(int) i]});
      }
    }
    return result;
  }
}
