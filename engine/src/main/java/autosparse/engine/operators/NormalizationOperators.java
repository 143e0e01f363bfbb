package autosparse.engine.operators;

import autosparse.engine.Tensor;

/** Layer normalisation (Ba, Kiros, Hinton, 2016). */
public abstract class NormalizationOperators {
  /**
   * y = gamma·(x − mean)/√(variance + epsilon) + beta over each row; the variance is the biased
   * one. x and y are alike; the rest is real.
   *
   * @param x [N, C]
   * @param gamma [C]
   * @param beta [C]
   * @param y [N, C]
   * @param mean [N], kept for the backward pass
   * @param inverseDeviation [N], 1/√(variance + epsilon), kept for the backward pass
   */
  public final void layerNorm(
      Tensor x,
      Tensor gamma,
      Tensor beta,
      double epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverseDeviation) {
    Check.activation("layerNorm", "x", x, -1, -1);
    Check.real("layerNorm", "gamma", gamma, x.dim(1));
    Check.real("layerNorm", "beta", beta, x.dim(1));
    Check.alike("layerNorm", "y", y, "x", x);
    Check.real("layerNorm", "mean", mean, x.dim(0));
    Check.real("layerNorm", "inverseDeviation", inverseDeviation, x.dim(0));
    Check.that(x.dim(1) > 0, "layerNorm", "x is " + x + ": expected at least one column");
    applyLayerNorm(x, gamma, beta, epsilon, y, mean, inverseDeviation);
  }

  /** dx is written; dGamma and dBeta are accumulated. */
  public final void layerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverseDeviation,
      Tensor dy,
      Tensor dx,
      Tensor dGamma,
      Tensor dBeta) {
    Check.activation("layerNormBackward", "x", x, -1, -1);
    Check.real("layerNormBackward", "gamma", gamma, x.dim(1));
    Check.alike("layerNormBackward", "dy", dy, "x", x);
    Check.alike("layerNormBackward", "dx", dx, "x", x);
    Check.real("layerNormBackward", "mean", mean, x.dim(0));
    Check.real("layerNormBackward", "inverseDeviation", inverseDeviation, x.dim(0));
    Check.alike("layerNormBackward", "dGamma", dGamma, "gamma", gamma);
    Check.alike("layerNormBackward", "dBeta", dBeta, "gamma", gamma);
    applyLayerNormBackward(x, gamma, mean, inverseDeviation, dy, dx, dGamma, dBeta);
  }

  protected abstract void applyLayerNorm(
      Tensor x,
      Tensor gamma,
      Tensor beta,
      double epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverseDeviation);

  protected abstract void applyLayerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverseDeviation,
      Tensor dy,
      Tensor dx,
      Tensor dGamma,
      Tensor dBeta);
}
