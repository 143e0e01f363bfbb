package autosparse.engine.sparse;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * What was counted of ranges of rows, as long as their source is in use: a few dozen numbers for
 * each range.
 */
public final class RangeCounts {
  private record Range(long first, long end) {}

  private final Map<RowSource, Map<Range, LevelCounts>> known = new WeakHashMap<>();

  /**
   * The counts of a batch; of several ranges together they are not kept, since the same ones hardly
   * meet again.
   */
  public LevelCounts of(List<RowRange> batch) {
    if (batch.size() != 1) {
      return new LevelCounts();
    }
    RowRange rows = batch.get(0);
    return known
        .computeIfAbsent(rows.source(), source -> new HashMap<>())
        .computeIfAbsent(new Range(rows.first(), rows.end()), range -> new LevelCounts());
  }
}
