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
        new CpuSparsePattern(pool),
        new CpuSparseConvolution(pool),
        new CpuPooling(pool),
        new CpuRankingLoss(pool),
        new CpuOptimizer(pool),
        pool::close);
  }
}
