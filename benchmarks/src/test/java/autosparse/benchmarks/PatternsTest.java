package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.sparse.Sites;
import autosparse.schedule.InputException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class PatternsTest {
  @Test
  void theDefaultIsTheSameEachTime() {
    Sites.Pattern band = Patterns.of("");
    assertEquals(20_000, band.rows());
    assertEquals(band.columnIndices().length, band.rowPointers()[20_000]);
    assertEquals(
        Arrays.hashCode(band.columnIndices()), Arrays.hashCode(Patterns.of("").columnIndices()));
  }

  @Test
  void aBandHasNineDiagonals() {
    Sites.Pattern band = Patterns.of("band:1000000");
    assertEquals(111_111, band.rows());
    assertEquals(999_979, band.columnIndices().length);
    assertArrayEquals(
        new int[] {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5}, Arrays.copyOf(band.columnIndices(), 11));
    long last = band.rowPointers()[111_110];
    assertEquals(5, 999_979 - last);
    assertEquals(111_106, band.columnIndices()[(int) last]);
  }

  /** The share of duplicates follows from the distribution alone. */
  @Test
  void rmatHasThePublishedShape() {
    Sites.Pattern rmat = Patterns.of("rmat:1000000");
    assertEquals(1 << 16, rmat.rows());
    assertEquals(1 << 16, rmat.columns());
    assertEquals(913_870, rmat.columnIndices().length, 2_000);
    assertTrue(rmat.rowPointers()[1] > 1000, "the first row is the fullest");
  }

  @Test
  void otherNamesAreRefused() {
    assertThrows(InputException.class, () -> Patterns.of("band:none"));
    assertThrows(InputException.class, () -> Patterns.of("rmat:5"));
    assertThrows(InputException.class, () -> Patterns.of("no such file.csr"));
  }
}
