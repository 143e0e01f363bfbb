package autosparse.tuner.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.sparse.Sites;
import autosparse.schedule.PatternCounts.View;
import autosparse.schedule.SparsityPattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GeneratedRowsTest {
  private static PatternSpec spec(PatternKind kind, int rows, int nnz) {
    return PatternSpec.of(kind, rows, rows, nnz, 5);
  }

  @ParameterizedTest
  @EnumSource(
      value = PatternKind.class,
      names = {"EXPAND", "RESIZE"},
      mode = EnumSource.Mode.EXCLUDE)
  void rangesAreThoseOfTheWholePattern(PatternKind kind) {
    MatrixRows source = Patterns.of(spec(kind, 10_007, 60_000));
    SparsityPattern whole = source.toPattern("whole");
    GeneratedRows rows = GeneratedRows.of(source);
    assertEquals(whole.nnz(), rows.sites());
    assertEquals(whole.cols(), rows.columns());
    Sites.Pattern inMemory =
        new Sites.Pattern(whole.rows(), whole.cols(), whole.rowPointers(), whole.columns());
    long[] bounds = {0, 1, 63, 64, 4095, 4096, 5000, whole.rows() - 1L, whole.rows()};
    for (long from : bounds) {
      assertEquals(inMemory.sitesBefore(from), rows.sitesBefore(from), "row " + from);
      for (long to : bounds) {
        if (to >= from) {
          Sites.Pattern expected = inMemory.read(from, to);
          Sites.Pattern read = rows.read(from, to);
          assertEquals(expected.rows(), read.rows());
          assertArrayEquals(expected.rowPointers(), read.rowPointers());
          assertArrayEquals(expected.columnIndices(), read.columnIndices());
        }
      }
    }
  }

  /** A pattern that is made as it is read counts, and is read, as the one in memory. */
  @ParameterizedTest
  @EnumSource(
      value = PatternKind.class,
      names = {"BAND", "RMAT", "UNIFORM"})
  void aPatternMadeAsItIsReadIsTheOneInMemory(PatternKind kind) {
    MatrixRows source = Patterns.of(spec(kind, 3_001, 20_000));
    SparsityPattern held = source.toPattern("held");
    GeneratedPattern made = new GeneratedPattern("made", GeneratedRows.of(source), 1 << 12);
    assertEquals("made", made.name());
    assertEquals(held.rows(), made.rows());
    assertEquals(held.cols(), made.cols());
    assertEquals(held.nnz(), made.nnz());
    for (int row = 0; row < held.rows(); ) {
      int end = made.rangeEnd(row, held.rows(), made.rangeBytes());
      assertTrue(end > row);
      assertEquals(held.rowStart(end), made.rowStart(end));
      assertArrayEquals(held.read(row, end).rowPointers(), made.read(row, end).rowPointers());
      assertArrayEquals(held.read(row, end).columns(), made.read(row, end).columns());
      row = end;
    }
    made.counts().countAll(asked -> asked.distinct(View.outer(16), View.inner(8)));
    assertEquals(
        held.counts().distinct(View.outer(16), View.inner(8)),
        made.counts().distinct(View.outer(16), View.inner(8)));
    assertEquals(
        held.counts().rowBalance(100, 3, true, 4, 5), made.counts().rowBalance(100, 3, true, 4, 5));
  }

  /** More sites than an int counts; a range of the end is read as any other. */
  @Test
  void sitesAreCountedIn64Bits() {
    int columns = 1 << 20;
    GeneratedRows rows =
        GeneratedRows.of(
            new MatrixRows() {
              private final int[] all = java.util.stream.IntStream.range(0, columns).toArray();

              @Override
              public int rows() {
                return 5_000;
              }

              @Override
              public int cols() {
                return columns;
              }

              @Override
              public void forEachRow(int from, int to, Visitor visitor) {
                for (int row = from; row < to; row++) {
                  visitor.row(row, all, columns);
                }
              }
            });
    assertEquals(5_000L << 20, rows.sites());
    assertEquals(4_999L << 20, rows.sitesBefore(4_999));
    assertEquals(1 << 20, rows.read(4_999, 5_000).sites());
    String message =
        assertThrows(IllegalArgumentException.class, () -> rows.read(0, 5_000)).getMessage();
    assertTrue(message.contains("rows 0 to 5000 with 5242880000 sites"), message);
  }
}
