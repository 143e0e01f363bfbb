package autosparse.engine.cuda;

import autosparse.engine.Operators;
import autosparse.engine.Precision;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.planning.PlannedPatterns;
import autosparse.engine.sparse.SiteCounts;
import autosparse.kernels.Cleanup;
import autosparse.kernels.Cublas;
import autosparse.kernels.CudaContext;

/** Assembles the families. */
public final class CudaOperators {
  private CudaOperators() {}

  public static Operators create(CudaContext context, Precision precision) {
    return create(context, precision, new CudaSparsePattern(context, SiteCounts.ON_DEVICE));
  }

  /**
   * The same operators for a context that runs nothing.
   *
   * @param patterns the operators' own pattern family
   */
  public record Planning(Operators operators, PlannedPatterns patterns) {}

  /**
   * @param context a planning context
   */
  public static Planning planning(CudaContext context, Precision precision) {
    PlannedPatterns patterns =
        new PlannedPatterns(counts -> new CudaSparsePattern(context, counts));
    return new Planning(create(context, precision, patterns), patterns);
  }

  private static Operators create(
      CudaContext context, Precision precision, SparsePatternOperators pattern) {
    Cublas.Attempt products = Cublas.load(context);
    try {
      context.accounts().book(MemoryBudget.CUBLAS);
      CudaGemm gemm = new CudaGemm(context, precision, products);
      Operators operators = assemble(context, precision, pattern, gemm);
      context.accounts().book(MemoryBudget.MODULES);
      return operators;
    } catch (RuntimeException e) {
      Cleanup.after(e, products::close);
      throw e;
    }
  }

  private static Operators assemble(
      CudaContext context, Precision precision, SparsePatternOperators pattern, CudaGemm gemm) {
    return new Operators(
        gemm,
        new CudaElementwise(context),
        new CudaReduction(context),
        new CudaEmbedding(context),
        new CudaNormalization(context),
        new CudaAttention(context),
        pattern,
        new CudaSparseConvolution(context, precision),
        new CudaPooling(context),
        new CudaRankingLoss(context),
        new CudaOptimizer(context),
        gemm::close);
  }
}
