package autosparse.engine.cpu;

import autosparse.engine.Operators;

/** Assembles the families. */
public final class CpuOperators {
  private CpuOperators() {}

  public static Operators create(int threads) {
    WorkerPool pool = new WorkerPool(threads);
    return new Operators(
        null, // gemm
        null, // elementwise
        null, // reduction
        null, // embedding
        null, // normalization
        null, // attention
        new CpuSparsePattern(pool),
        new CpuSparseConvolution(pool),
        new CpuPooling(pool),
        null, // ranking loss
        null, // optimizer
        pool::close);
  }
}
