package autosparse.engine.sparse;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The numbers of one level of a batch that size tensors, remembered as they are counted: a planner
 * runs many steps on one pattern, strips of a regular matrix are alike, and strips that are
 * streamed to a device come again in every pass and every step.
 */
public final class LevelCounts {
  private final Map<Integer, LevelCounts> coarser = new HashMap<>();
  private final Map<ConvolutionKernel, Long> pairs = new HashMap<>();
  private final Map<Long, Long> firstSiteOfRow = new HashMap<>();
  private long[] firstSites;

  /** Counts of the level of floor(coordinate / stride). */
  public LevelCounts coarser(int stride) {
    return coarser.computeIfAbsent(stride, s -> new LevelCounts());
  }

  /** First site of each matrix, then the number of sites [B+1]. */
  public long[] firstSites(Supplier<long[]> count) {
    if (firstSites == null) {
      firstSites = count.get();
    }
    return firstSites.clone();
  }

  /** Site number at which a lattice row of the stacked batch starts. */
  public long firstSite(long row, LongSupplier count) {
    return firstSiteOfRow.computeIfAbsent(row, key -> count.getAsLong());
  }

  /** Pairs of an output of a kernel, on this level or the next coarser one, and an active input. */
  public long pairs(ConvolutionKernel kernel, LongSupplier count) {
    return pairs.computeIfAbsent(kernel, key -> count.getAsLong());
  }
}
