package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.NormalizationOperators;

/** Row by row, two passes for the variance. */
final class ReferenceNormalization extends NormalizationOperators {
  @Override
  protected void applyLayerNorm(
      Tensor x,
      Tensor gamma,
      Tensor beta,
      double epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverseDeviation) {
    int rows = (int) x.dim(0);
    int columns = (int) x.dim(1);
    double[] xs = x.toDoubles();
    double[] gammas = gamma.toDoubles();
    double[] betas = beta.toDoubles();
    double[] ys = new double[xs.length];
    double[] means = new double[rows];
    double[] inverses = new double[rows];
    for (int n = 0; n < rows; n++) {
      double sum = 0;
      for (int c = 0; c < columns; c++) {
        sum += xs[n * columns + c];
      }
      means[n] = sum / columns;
      double squares = 0;
      for (int c = 0; c < columns; c++) {
        double centered = xs[n * columns + c] - means[n];
        squares += centered * centered;
      }
      inverses[n] = 1 / Math.sqrt(squares / columns + epsilon);
      for (int c = 0; c < columns; c++) {
        double normalized = (xs[n * columns + c] - means[n]) * inverses[n];
        ys[n * columns + c] = gammas[c] * normalized + betas[c];
      }
    }
    y.setDoubles(ys);
    mean.setDoubles(means);
    inverseDeviation.setDoubles(inverses);
  }

  @Override
  protected void applyLayerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverseDeviation,
      Tensor dy,
      Tensor dx,
      Tensor dGamma,
      Tensor dBeta) {
    int rows = (int) x.dim(0);
    int columns = (int) x.dim(1);
    double[] xs = x.toDoubles();
    double[] gammas = gamma.toDoubles();
    double[] means = mean.toDoubles();
    double[] inverses = inverseDeviation.toDoubles();
    double[] dys = dy.toDoubles();
    double[] dxs = new double[xs.length];
    double[] dGammas = dGamma.toDoubles();
    double[] dBetas = dBeta.toDoubles();
    for (int n = 0; n < rows; n++) {
      double sum = 0;
      double product = 0;
      for (int c = 0; c < columns; c++) {
        double normalized = (xs[n * columns + c] - means[n]) * inverses[n];
        double gradient = dys[n * columns + c];
        dGammas[c] += gradient * normalized;
        dBetas[c] += gradient;
        sum += gradient * gammas[c];
        product += gradient * gammas[c] * normalized;
      }
      for (int c = 0; c < columns; c++) {
        double normalized = (xs[n * columns + c] - means[n]) * inverses[n];
        double gradient = dys[n * columns + c] * gammas[c];
        dxs[n * columns + c] =
            inverses[n] * (gradient - sum / columns - normalized * product / columns);
      }
    }
    dx.setDoubles(dxs);
    dGamma.setDoubles(dGammas);
    dBeta.setDoubles(dBetas);
  }
}
