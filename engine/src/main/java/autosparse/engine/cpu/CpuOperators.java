package autosparse.engine.cpu;

import autosparse.engine.Operators;

/** Assembles the families. */
public final class CpuOperators {
  private CpuOperators() {}

  public static Operators create(int threads) {
    WorkerPool pool = new WorkerPool(threads);
    return new Operators(
        new CpuGemm(pool),
        new CpuElementwise(pool),
        new CpuReduction(pool),
        new CpuEmbedding(pool),
        new CpuNormalization(pool),
        new CpuAttention(pool),
        null,
        null,
        null,
        new CpuRankingLoss(pool),
        new CpuOptimizer(pool),
        pool::close);
  }
}
