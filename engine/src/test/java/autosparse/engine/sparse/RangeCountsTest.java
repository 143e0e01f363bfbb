package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What was counted of a range is known when the range comes again. */
class RangeCountsTest {
  private static final ConvolutionKernel KERNEL = new ConvolutionKernel(3, 2, 1);

  private int counted;

  @Test
  void aRangeOfASourceIsKnownByItsBounds() {
    RangeCounts known = new RangeCounts();
    Sites.Pattern pattern = Patterns.random(20, 30, .2, 1);
    LevelCounts counts = known.of(List.of(new RowRange(pattern, 4, 12, 4)));
    assertSame(counts, known.of(List.of(new RowRange(pattern, 4, 12, 4))));
    assertNotSame(counts, known.of(List.of(new RowRange(pattern, 4, 16, 4))));
    RowRange ofAnother = new RowRange(Patterns.random(20, 30, .2, 2), 4, 12, 4);
    assertNotSame(counts, known.of(List.of(ofAnother)));
    List<RowRange> two = List.of(ofAnother, new RowRange(pattern, 4, 12, 4));
    assertNotSame(known.of(two), known.of(two));
  }

  @Test
  void aNumberIsCountedOnce() {
    LevelCounts counts = new LevelCounts();
    for (int time = 0; time < 2; time++) {
      LevelCounts coarse = counts.coarser(2);
      assertArrayEquals(new long[] {0, 7}, coarse.firstSites(() -> once(new long[] {0, 7})));
      assertEquals(5, coarse.firstSite(3, () -> once(5L)));
      assertEquals(9, counts.pairs(KERNEL, () -> once(9L)));
    }
    assertEquals(3, counted);
  }

  private <T> T once(T value) {
    counted++;
    return value;
  }

  /** What a caller does to an array that it got is its own affair. */
  @Test
  void whatIsKnownIsHandedOutAsACopy() {
    LevelCounts counts = new LevelCounts();
    counts.firstSites(() -> new long[] {0, 7})[1] = 0;
    assertEquals(7, counts.firstSites(() -> new long[0])[1]);
  }
}
