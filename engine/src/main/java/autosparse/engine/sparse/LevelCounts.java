package autosparse.engine.planning;

import autosparse.engine.sparse.ConvolutionKernel;
import java.util.HashMap;
import java.util.Map;

/**
 * The counts of one level of a batch, remembered as they are made: a planner runs many steps on one
 * pattern, and strips of a regular matrix are alike.
 */
final class LevelCounts {
  private final Map<Integer, LevelCounts> coarser = new HashMap<>();
  private final Map<ConvolutionKernel, Long> pairs = new HashMap<>();
  private final Map<Long, Long> firstSiteOfRow = new HashMap<>();
  private long[] firstSites;

  /** Counts of the level of floor(coordinate / stride). */
  LevelCounts coarser(int stride) {
    return coarser.computeIfAbsent(stride, s -> new LevelCounts());
  }

  /** First site of each matrix, then the number of sites [B+1]. */
  long[] firstSites(LevelRows rows) {
    if (firstSites == null) {
      firstSites = rows.firstSites();
    }
    return firstSites.clone();
  }

  /** Site number at which a lattice row of the stacked batch starts. */
  long firstSite(LevelRows rows, long row) {
    return firstSiteOfRow.computeIfAbsent(row, rows::firstSite);
  }

  /**
   * Pairs of an output of a kernel and an active input.
   *
   * @param inputs the level
   * @param outputs the level itself or a coarser one
   */
  long pairs(LevelRows inputs, LevelRows outputs, ConvolutionKernel kernel) {
    return pairs.computeIfAbsent(kernel, k -> inputs.pairs(outputs, k));
  }
}
