package autosparse.engine.cpu;

import autosparse.engine.Operators;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.planning.InertOperators;

/** Assembles the families. */
public final class CpuOperators {
  private CpuOperators() {}

  /** Operators that take the engine's temporaries and compute nothing. */
  public static Operators planning(SparsePatternOperators pattern) {
    return InertOperators.with(pattern, new PlannedConvolution());
  }

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
