package autosparse.engine.planning;

import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.AttentionOperators;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.EmbeddingOperators;
import autosparse.engine.operators.GemmOperators;
import autosparse.engine.operators.NormalizationOperators;
import autosparse.engine.operators.OptimizerOperators;
import autosparse.engine.operators.PoolingOperators;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.engine.operators.ReductionOperators;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import java.util.List;

/**
 * Operators that check their arguments, as all do, and then do nothing: for the families that take
 * no temporaries on the device that is planned for.
 */
public final class InertOperators {
  private InertOperators() {}

  /**
   * All families.
   *
   * @param convolution what takes the temporaries that the device's convolutions take
   */
  public static Operators with(
      SparsePatternOperators pattern, SparseConvolutionOperators convolution) {
    return new Operators(
        new Gemm(),
        new Elementwise(),
        new Reduction(),
        new Embedding(),
        new Normalization(),
        new Attention(),
        pattern,
        convolution,
        new Pooling(),
        new RankingLoss(),
        new Optimizer(),
        () -> {});
  }

  /** Gemm that do nothing. */
  private static class Gemm extends GemmOperators {
    @Override
    public String provider() {
      return "nothing (planned)";
    }

    @Override
    protected void multiply(
        boolean transposeA,
        Tensor a,
        boolean transposeB,
        Tensor b,
        double alpha,
        double beta,
        Tensor c) {}

    @Override
    protected void applyLinear(
        Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {}
  }

  /** Elementwise that do nothing. */
  private static class Elementwise extends ElementwiseOperators {
    @Override
    protected void applyFill(Tensor y, double value) {}

    @Override
    protected void applyCopy(Tensor x, Tensor y) {}

    @Override
    protected void applyCast(Tensor x, Tensor y) {}

    @Override
    protected void applyAdd(Tensor a, Tensor b, Tensor y) {}

    @Override
    protected void applyAxpy(double alpha, Tensor x, Tensor y) {}

    @Override
    protected void applyScale(double alpha, Tensor x, Tensor y) {}

    @Override
    protected void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {}

    @Override
    protected void applyActivation(Activation activation, Tensor x, Tensor y) {}

    @Override
    protected void applyActivationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {}

    @Override
    protected void applyDropout(Tensor x, double keep, long seed, Tensor y) {}

    @Override
    protected void applyCopyColumns(
        Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {}
  }

  /** Reduction that do nothing. */
  private static class Reduction extends ReductionOperators {
    @Override
    protected void applyColumnSum(Tensor x, boolean accumulate, Tensor y) {}

    @Override
    protected void applySegmentSum(Tensor x, Tensor offsets, Tensor y) {}

    @Override
    protected void applySegmentBroadcast(Tensor y, Tensor offsets, Tensor x) {}

    @Override
    protected void applySum(Tensor x, Tensor y) {}
  }

  /** Embedding that do nothing. */
  private static class Embedding extends EmbeddingOperators {
    @Override
    protected void applyGather(Tensor table, Tensor index, Tensor y) {}

    @Override
    protected void applyGatherBackward(Tensor dy, Tensor index, Tensor dTable) {}
  }

  /** Normalization that do nothing. */
  private static class Normalization extends NormalizationOperators {
    @Override
    protected void applyLayerNorm(
        Tensor x,
        Tensor gamma,
        Tensor beta,
        double epsilon,
        Tensor y,
        Tensor mean,
        Tensor inverseDeviation) {}

    @Override
    protected void applyLayerNormBackward(
        Tensor x,
        Tensor gamma,
        Tensor mean,
        Tensor inverseDeviation,
        Tensor dy,
        Tensor dx,
        Tensor dGamma,
        Tensor dBeta) {}
  }

  /** Attention that do nothing. */
  private static class Attention extends AttentionOperators {
    @Override
    protected void applyAttention(
        Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {}

    @Override
    protected void applyAttentionBackward(
        Tensor qkv,
        Tensor offsets,
        int heads,
        Tensor out,
        Tensor logSumExp,
        Tensor dOut,
        Tensor dQkv) {}
  }

  /** SparseConvolution that do nothing. */
  public static class SparseConvolution extends SparseConvolutionOperators {
    @Override
    protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {}

    @Override
    protected void applyBackward(
        Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {}

    @Override
    protected void applyForwardOnes(
        ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {}

    @Override
    protected void applyBackwardOnes(
        ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {}
  }

  /** Pooling that do nothing. */
  private static class Pooling extends PoolingOperators {
    @Override
    protected void applyPool(Tensor x, Tensor offsets, boolean averaged, Tensor y) {}

    @Override
    protected void applyAverageOfSum(Tensor sum, Tensor sites, Tensor y) {}

    @Override
    protected void applyReluPoolBackward(
        Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, boolean averaged, Tensor dz) {}
  }

  /** RankingLoss that do nothing. */
  private static class RankingLoss extends RankingLossOperators {
    @Override
    protected void applyMargin(
        Tensor scores,
        Tensor labels,
        Tensor offsets,
        double margin,
        Tensor losses,
        Tensor dScores) {}

    @Override
    protected void applyLambdaRank(
        Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores) {}
  }

  /** Optimizer that do nothing. */
  private static class Optimizer extends OptimizerOperators {
    @Override
    protected void applyGlobalNorm(List<Tensor> gradients, Tensor norm) {}

    @Override
    protected void applyAdam(
        AdamStep settings,
        List<Tensor> weights,
        List<Tensor> gradients,
        List<Tensor> firstMoments,
        List<Tensor> secondMoments,
        Tensor norm) {}

    @Override
    protected void applyAverage(double share, List<Tensor> weights, List<Tensor> averages) {}
  }
}
