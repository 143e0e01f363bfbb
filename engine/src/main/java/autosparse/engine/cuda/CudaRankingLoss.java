package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I32;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.RankingLossKernels;

/** A warp an element, which visits all its pairs: O(N) memory, O(N²) time. */
final class CudaRankingLoss extends RankingLossOperators {
  private final RankingLossKernels kernels;

  CudaRankingLoss(CudaContext context) {
    kernels = new RankingLossKernels(context);
  }

  @Override
  protected void applyMargin(
      Tensor scores, Tensor labels, Tensor offsets, double margin, Tensor losses, Tensor dScores) {
    long count = scores.dim(0);
    try (TensorScope scope = dScores.device().root().child("margin")) {
      Tensor violations = scope.create("violations", F32, MemoryTag.WORKSPACE, count);
      Tensor worse = scope.create("worse elements", I32, MemoryTag.WORKSPACE, count);
      kernels.margin(
          scores.deviceAddress(F32),
          labels.deviceAddress(F32),
          offsets.deviceAddress(I64),
          Math.toIntExact(losses.dim(0)),
          count,
          (float) margin,
          violations.deviceAddress(F32),
          worse.deviceAddress(I32),
          losses.deviceAddress(F32),
          dScores.deviceAddress(F32));
    }
  }

  @Override
  protected void applyLambdaRank(
      Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores) {
    long count = scores.dim(0);
    try (TensorScope scope = dScores.device().root().child("lambda rank")) {
      Tensor elements = scope.create("elements", F32, MemoryTag.WORKSPACE, count, 4);
      Tensor ideal = scope.create("ideal gains", F32, MemoryTag.WORKSPACE, count);
      Tensor pairLosses = scope.create("losses of elements", F32, MemoryTag.WORKSPACE, count);
      kernels.lambdaRank(
          scores.deviceAddress(F32),
          labels.deviceAddress(F32),
          offsets.deviceAddress(I64),
          Math.toIntExact(losses.dim(0)),
          count,
          elements.deviceAddress(F32),
          ideal.deviceAddress(F32),
          pairLosses.deviceAddress(F32),
          losses.deviceAddress(F32),
          dScores.deviceAddress(F32));
    }
  }
}
