package autosparse.schedule;

import autosparse.schedule.PatternCounts.Balance;
import autosparse.schedule.PatternCounts.View;

/** What can be asked of a pattern whose axes are seen through splits. */
public interface PatternQueries {
  /** Number of nonzeros. */
  long nnz();

  /**
   * Number of distinct pairs of what is seen of row and column over all nonzeros: for example of
   * nonempty 16 × 4 blocks for {@code outer(16), outer(4)}.
   */
  long distinct(View rows, View cols);

  /**
   * How rows are shared out by a parallel loop over blocks of rows.
   *
   * @param group rows of one run of the parallel loop; the runs follow one another. The number of
   *     rows, or more, for a loop that runs once
   * @param unit rows of one iteration
   * @param skipEmpty whether iterations without nonzeros do not exist (a compressed level)
   * @param chunk iterations that a thread takes at a time
   * @param threads threads that share each group
   */
  Balance rowBalance(long group, long unit, boolean skipEmpty, long chunk, int threads);
}
