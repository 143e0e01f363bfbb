package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleWorkTest {
  private static final String LEVELS = "2 i 2 i0 2 i1 2 k 2 k0 2 k1 4 1 A 4 %s A 4 %s ";

  /** 4 × 8: rows {0, 1, 5}, {0}, {}, {7}. */
  private static final SparsityPattern PATTERN =
      SparsityPattern.of("m", 4, 8, new long[] {0, 3, 4, 4, 5}, new int[] {0, 1, 5, 0, 7});

  private static ScheduleWork work(String line) {
    Problem problem = Problem.of(Op.SPMM, PATTERN).withDenseSize(32);
    Schedule schedule = Schedule.parse(line, new SourceLocation("test", 1));
    return ScheduleWork.of(ScheduleGeometry.of(schedule, problem), PATTERN.counts());
  }

  @Test
  void countsCompressedLevelsAndLoops() {
    // Blocks of 2 × 4: (0, 0), (0, 1), (1, 1); with their rows 0.0, 0.1; 0.0; 1.1.
    ScheduleWork work =
        work(
            String.format(LEVELS, "i0 k0 i1 k1", "i0 1 i1 1 k0 1 k1 1")
                + "1 j 2 j0 2 j1 16 6 i0 j0 k0 i1 k1 j1 i0 j1 None 0 4 1");
    assertEquals(List.of(2.0, 3.0, 4.0, 5.0), work.positions());
    assertEquals(List.of(2.0, 4.0, 6.0, 8.0, 10.0, 160.0), work.iterations());
    // Values, coordinates of each level, positions below the root, 2, 3 and 4 parents.
    assertEquals(4 * (5 + (2 + 3 + 4 + 5) + (2 + 3 + 4 + 5)), work.formatBytes());
    // A block of rows holds (2 + 1) / 2 rows and (3 + 1) / 2 columns, 32 words of each: two lines.
    assertEquals(1.5 * 128, work.rowBytes().get(0));
    assertEquals(2 * 128, work.columnBytes().get(0));
    // Inside j0 there is half of the dense axis.
    assertEquals(1.5 * 64, work.rowBytes().get(1));
    assertEquals(64, work.columnBytes().get(5), "one word is a line");
    assertEquals(1, work.parallelEntries());
    assertEquals(2, work.parallelChunks());
    assertEquals(0.8, work.busiestShare(), 1e-12, "4 of 5 nonzeros in the first rows");
    assertEquals(0.8, work.spanShare(), 1e-12);
    for (double traffic : work.cacheTraffic()) {
      assertEquals(work.formatBytes() + 128 * (3 + 4), traffic, "everything fits");
    }
  }

  @Test
  void countsPaddingOfDenseLevels() {
    ScheduleWork work =
        work(
            String.format(LEVELS, "i0 i1 k0 k1", "i0 0 i1 0 k0 1 k1 0")
                + "1 j 2 j0 2 j1 16 6 j0 i0 i1 k0 k1 j1 j0 j1 None 0 4 1");
    assertEquals(List.of(2.0, 4.0, 4.0, 16.0), work.positions());
    assertEquals(List.of(2.0, 4.0, 8.0, 8.0, 32.0, 512.0), work.iterations());
    assertEquals(4 * (16 + 4 + 5), work.formatBytes());
    assertEquals(2, work.parallelChunks());
    assertEquals(0.5, work.spanShare(), "a dense axis is shared out evenly");
  }

  @Test
  void belowANonUniqueLevelNonzerosStayApart() {
    ScheduleWork work =
        work(
            String.format(LEVELS, "i0 i1 k0 k1", "i0 2 i1 4 k0 4 k1 3")
                + "1 j 2 j0 2 j1 16 6 i0 i1 k0 k1 j0 j1 None None None 0 4 1");
    assertEquals(List.of(5.0, 5.0, 5.0, 5.0), work.positions());
    assertEquals(4 * (5 + 4 * 5 + 2), work.formatBytes());
    assertEquals(0, work.parallelEntries());
    assertEquals(1, work.spanShare());
  }

  /** A run over the rows of a block: two rows, then two rows, on four threads. */
  @Test
  void innerRowsAreSharedOutBlockByBlock() {
    ScheduleWork work =
        work(
            String.format(LEVELS, "i0 i1 k0 k1", "i0 0 i1 0 k0 1 k1 1")
                + "1 j 2 j0 2 j1 16 6 i0 i1 k0 k1 j0 j1 i1 None None 0 4 1");
    assertEquals(2, work.parallelEntries());
    assertEquals(2, work.parallelChunks());
    assertEquals((3 + 1) / 5.0, work.spanShare(), 1e-12, "3 of 4 nonzeros, then 1 of 1");
    assertEquals(1, work.busiestShare(), 1e-12);
  }

  @Test
  void anEmptyMatrixHasNoWork() {
    SparsityPattern empty = SparsityPattern.of("e", 4, 8, new long[5], new int[0]);
    for (Op op : Op.values()) {
      ScheduleGeometry geometry =
          ScheduleGeometry.of(Schedule.noOp(op, 4, 1), Problem.of(op, empty));
      ScheduleWork work = ScheduleWork.of(geometry, empty.counts());
      assertEquals(List.of(4.0, 0.0), work.positions());
      assertTrue(work.cacheTraffic().stream().allMatch(Double::isFinite), work.toString());
    }
  }
}
