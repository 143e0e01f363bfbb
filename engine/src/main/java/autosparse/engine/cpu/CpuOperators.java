package autosparse.engine.cpu;

import autosparse.engine.Operators;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.planning.InertOperators;
import autosparse.kernels.HostLedger;

/** Assembles the families. */
public final class CpuOperators {
  private CpuOperators() {}

  /** Operators that take the engine's temporaries and compute nothing. */
  public static Operators planning(SparsePatternOperators pattern) {
    return InertOperators.with(pattern, new PlannedConvolution());
  }

  /**
   * Bytes that the engine takes of the host for each of its threads, outside the Java heap and
   * besides tensors; more only for layers whose operands are larger, which are then booked.
   */
  public static final long SCRATCH_BYTES = Scratch.BLOCK_BYTES;

  /**
   * The CPU engine.
   *
   * @param host books what it takes of the host besides tensors
   */
  public static Operators create(int threads, HostLedger host) {
    WorkerPool pool = new WorkerPool(threads, host);
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
