package autosparse.kernels;

/**
 * Launches the kernels of {@code ranking_loss.cu}. Arguments are device addresses; element arrays
 * are [count], losses [groups], offsets I64 [groups + 1] from 0 to count.
 */
public final class RankingLossKernels {
  private static final String FAMILY = "ranking_loss";
  private static final int THREADS = 256;
  private static final int ELEMENTS_PER_BLOCK = 8;

  private final Kernel marginPairs;
  private final Kernel marginFinish;
  private final Kernel lambdaRanks;
  private final Kernel lambdaPairs;
  private final Kernel sumGroups;

  public RankingLossKernels(CudaContext context) {
    marginPairs = context.kernel(FAMILY, "margin_pairs_f32");
    marginFinish = context.kernel(FAMILY, "margin_finish_f32");
    lambdaRanks = context.kernel(FAMILY, "lambda_ranks_f32");
    lambdaPairs = context.kernel(FAMILY, "lambda_pairs_f32");
    sumGroups = context.kernel(FAMILY, "sum_groups_f32");
  }

  /**
   * Margin ranking loss.
   *
   * @param violations F32, overwritten
   * @param worse I32, overwritten
   */
  public void margin(
      long scores,
      long labels,
      long offsets,
      int groups,
      long count,
      float margin,
      long violations,
      long worse,
      long losses,
      long dScores) {
    marginPairs.begin().pointer(scores).pointer(labels).pointer(offsets).int32(groups);
    marginPairs.int64(count).float32(margin).pointer(violations).pointer(worse).pointer(dScores);
    marginPairs.launch(Grids.blocks(count, ELEMENTS_PER_BLOCK), THREADS);
    marginFinish.begin().pointer(violations).pointer(worse).pointer(offsets);
    marginFinish.pointer(losses).pointer(dScores).launch(groups, THREADS);
  }

  /**
   * LambdaRank.
   *
   * @param elements F32 [count, 4], overwritten
   * @param ideal F32, overwritten
   * @param pairLosses F32, overwritten
   */
  public void lambdaRank(
      long scores,
      long labels,
      long offsets,
      int groups,
      long count,
      long elements,
      long ideal,
      long pairLosses,
      long losses,
      long dScores) {
    long blocks = Grids.blocks(count, ELEMENTS_PER_BLOCK);
    lambdaRanks.begin().pointer(scores).pointer(labels).pointer(offsets).int32(groups);
    lambdaRanks.int64(count).pointer(elements).pointer(ideal).launch(blocks, THREADS);
    lambdaPairs.begin().pointer(elements).pointer(ideal).pointer(offsets).int32(groups);
    lambdaPairs.int64(count).pointer(pairLosses).pointer(dScores).launch(blocks, THREADS);
    sumGroups.begin().pointer(pairLosses).pointer(offsets).pointer(losses);
    sumGroups.launch(groups, THREADS);
  }
}
