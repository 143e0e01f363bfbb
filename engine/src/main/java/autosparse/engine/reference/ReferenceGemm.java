package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;

/** Products as three loops. */
final class ReferenceGemm extends GemmOperators {
  @Override
  public String provider() {
    return "plain loops";
  }

  @Override
  protected void multiply(
      boolean transposeA,
      Tensor a,
      boolean transposeB,
      Tensor b,
      double alpha,
      double beta,
      Tensor c) {
    int m = (int) c.dim(0);
    int n = (int) c.dim(1);
    int k = (int) a.dim(transposeA ? 0 : 1);
    double[] as = a.toDoubles();
    double[] bs = b.toDoubles();
    double[] cs = c.toDoubles();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          double left = transposeA ? as[p * m + i] : as[i * k + p];
          double right = transposeB ? bs[j * k + p] : bs[p * n + j];
          sum += left * right;
        }
        double old = beta == 0 ? 0 : beta * cs[i * n + j];
        cs[i * n + j] = alpha * sum + old;
      }
    }
    c.setDoubles(cs);
  }

  @Override
  protected void applyLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    multiply(false, x, true, weight, 1, 0, y);
    double[] ys = y.toDoubles();
    if (bias != null) {
      double[] bs = bias.toDoubles();
      for (int i = 0; i < ys.length; i++) {
        ys[i] += bs[i % bs.length];
      }
    }
    if (activation == Activation.RELU) {
      for (int i = 0; i < ys.length; i++) {
        ys[i] = Math.max(ys[i], 0);
      }
    }
    y.setDoubles(ys);
  }
}
