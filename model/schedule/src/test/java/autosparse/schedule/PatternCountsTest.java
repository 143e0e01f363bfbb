package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.schedule.PatternCounts.Balance;
import autosparse.schedule.PatternCounts.View;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PatternCountsTest {
  /** A random pattern; every fifth row is empty. */
  static SparsityPattern pattern(int rows, int cols, double density, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] pointers = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      for (int column = 0; row % 5 != 2 && column < cols; column++) {
        if (random.nextDouble() < density) {
          columns.add(column);
        }
      }
      pointers[row + 1] = columns.size();
    }
    int[] array = columns.stream().mapToInt(Integer::intValue).toArray();
    return SparsityPattern.of("m", rows, cols, pointers, array);
  }

  private static long see(View view, long coordinate) {
    return switch (view.kind()) {
      case NONE -> 0;
      case OUTER -> coordinate / view.block();
      case INNER -> coordinate % view.block();
      case WHOLE -> coordinate;
    };
  }

  private static long brute(SparsityPattern pattern, View rows, View cols) {
    Set<List<Long>> seen = new HashSet<>();
    for (int row = 0; row < pattern.rows(); row++) {
      for (long p = pattern.rowStart(row); p < pattern.rowEnd(row); p++) {
        seen.add(List.of(see(rows, row), see(cols, pattern.column(p))));
      }
    }
    return seen.size();
  }

  @Test
  void distinctAgreesWithASet() {
    List<View> views = new ArrayList<>(List.of(View.NONE, View.WHOLE));
    for (long block : new long[] {1, 2, 3, 16, 1000, 1L << 40}) {
      views.add(View.outer(block));
      views.add(View.inner(block));
    }
    for (SparsityPattern pattern :
        List.of(
            pattern(37, 23, 0.1, 1),
            pattern(1, 60, 0.3, 2),
            pattern(64, 1, 0.5, 3),
            pattern(12, 9, 0, 4))) {
      for (View rows : views) {
        for (View cols : views) {
          assertEquals(
              brute(pattern, rows, cols),
              pattern.counts().distinct(rows, cols),
              pattern + " seen as " + rows + ", " + cols);
        }
      }
    }
  }

  @Test
  void viewsThatSeeTheSameAreEqual() {
    assertEquals(View.WHOLE, View.outer(1));
    assertEquals(View.NONE, View.inner(1));
    assertThrows(IllegalArgumentException.class, () -> View.outer(0));
    SparsityPattern pattern = pattern(10, 10, 0.3, 5);
    assertSame(pattern.counts(), pattern.counts());
  }

  /** Rows of 3, 0, 5, 1, 0, 2 nonzeros. */
  private static PatternCounts rows() {
    int[] lengths = {3, 0, 5, 1, 0, 2};
    long[] pointers = new long[7];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < 6; row++) {
      for (int c = 0; c < lengths[row]; c++) {
        columns.add(c);
      }
      pointers[row + 1] = columns.size();
    }
    int[] array = columns.stream().mapToInt(Integer::intValue).toArray();
    return SparsityPattern.of("m", 6, 8, pointers, array).counts();
  }

  @Test
  void piecesOfAParallelLoop() {
    // One row at a time: the row of 5 is busiest, and more than a quarter of 11.
    assertEquals(new Balance(5, 5), rows().rowBalance(6, 1, false, 1, 4));
    // On two threads their halves last longer.
    assertEquals(new Balance(5, 5.5), rows().rowBalance(6, 1, false, 1, 2));
    // Two rows at a time: 3 + 0, 5 + 1, 0 + 2; without empty rows 3 + 5, 1 + 2.
    assertEquals(new Balance(6, 6), rows().rowBalance(6, 1, false, 2, 4));
    assertEquals(new Balance(8, 8), rows().rowBalance(6, 1, true, 2, 4));
    // Blocks of two rows, two blocks at a time: 9, 2.
    assertEquals(new Balance(9, 9), rows().rowBalance(6, 2, false, 2, 4));
  }

  @Test
  void runsThatFollowOneAnotherAddUp() {
    // Runs of three rows, a row at a time: 3, 0, 5 and then 1, 0, 2.
    assertEquals(new Balance(5, 5 + 2), rows().rowBalance(3, 1, false, 1, 4));
    assertEquals(new Balance(5, 8 + 3), rows().rowBalance(3, 1, false, 1, 1));
  }
}
