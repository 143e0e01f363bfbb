package autosparse.engine.cuda;

import autosparse.engine.Operators;
import autosparse.engine.Precision;
import autosparse.kernels.CudaContext;

/** Assembles the families. */
public final class CudaOperators {
  private CudaOperators() {}

  public static Operators create(CudaContext context, Precision precision) {
    CudaGemm gemm = new CudaGemm(context, precision);
    return new Operators(
        gemm,
        new CudaElementwise(context),
        new CudaReduction(context),
        new CudaEmbedding(context),
        new CudaNormalization(context),
        new CudaAttention(context),
        new CudaSparsePattern(context),
        new CudaSparseConvolution(context, precision),
        new CudaPooling(context),
        new CudaRankingLoss(context),
        new CudaOptimizer(context),
        gemm::close);
  }
}
