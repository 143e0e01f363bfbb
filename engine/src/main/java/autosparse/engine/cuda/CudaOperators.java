package autosparse.engine.cuda;

import autosparse.engine.Operators;
import autosparse.kernels.CudaContext;

/** Assembles the families. */
public final class CudaOperators {
  private CudaOperators() {}

  public static Operators create(CudaContext context) {
    return new Operators(
        new CudaGemm(context),
        new CudaElementwise(context),
        new CudaReduction(context),
        new CudaEmbedding(context),
        new CudaNormalization(context),
        new CudaAttention(context),
        new CudaSparsePattern(context),
        new CudaSparseConvolution(context),
        new CudaPooling(context),
        new CudaRankingLoss(context),
        new CudaOptimizer(context),
        () -> {});
  }
}
