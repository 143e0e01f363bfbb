package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.DropoutMask;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.Segments;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** Element by element. */
final class ReferenceElementwise extends ElementwiseOperators {
  @Override
  protected void applyFill(Tensor y, double value) {
    double[] ys = new double[(int) y.elements()];
    Arrays.fill(ys, value);
    y.setDoubles(ys);
  }

  @Override
  protected void applyCopy(Tensor x, Tensor y) {
    y.setDoubles(x.toDoubles());
  }

  @Override
  protected void applyAdd(Tensor a, Tensor b, Tensor y) {
    double[] as = a.toDoubles();
    double[] bs = b.toDoubles();
    for (int i = 0; i < as.length; i++) {
      as[i] += bs[i];
    }
    y.setDoubles(as);
  }

  @Override
  protected void applyAxpy(double alpha, Tensor x, Tensor y) {
    double[] xs = x.toDoubles();
    double[] ys = y.toDoubles();
    for (int i = 0; i < xs.length; i++) {
      ys[i] += alpha * xs[i];
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applyScale(double alpha, Tensor x, Tensor y) {
    map(x, y, value -> alpha * value);
  }

  @Override
  protected void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {
    double[] xs = x.toDoubles();
    double[] factors = factor.toDoubles();
    int columns = (int) x.shape().rowElements();
    long[] starts = Segments.read("scaleGroups", offsets, x.dim(0));
    for (int g = 0; g < factors.length; g++) {
      for (int i = (int) starts[g] * columns; i < starts[g + 1] * columns; i++) {
        xs[i] *= factors[g];
      }
    }
    y.setDoubles(xs);
  }

  @Override
  protected void applyActivation(Activation activation, Tensor x, Tensor y) {
    map(
        x,
        y,
        switch (activation) {
          case IDENTITY -> value -> value;
          case RELU -> value -> Math.max(value, 0);
          case GELU -> value -> value * SpecialFunctions.normalDistribution(value);
        });
  }

  private static void map(Tensor x, Tensor y, DoubleUnaryOperator function) {
    y.setDoubles(Arrays.stream(x.toDoubles()).map(function).toArray());
  }

  @Override
  protected void applyActivationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {
    double[] xs = x.toDoubles();
    double[] ds = dy.toDoubles();
    for (int i = 0; i < xs.length; i++) {
      ds[i] *=
          switch (activation) {
            case IDENTITY -> 1;
            case RELU -> xs[i] > 0 ? 1 : 0;
            case GELU ->
                SpecialFunctions.normalDistribution(xs[i])
                    + xs[i] * SpecialFunctions.normalDensity(xs[i]);
          };
    }
    dx.setDoubles(ds);
  }

  @Override
  protected void applyDropout(Tensor x, double keep, long seed, Tensor y) {
    double[] xs = x.toDoubles();
    long threshold = DropoutMask.threshold(keep);
    for (int i = 0; i < xs.length; i++) {
      xs[i] = DropoutMask.keeps(seed, i, threshold) ? xs[i] / keep : 0;
    }
    y.setDoubles(xs);
  }

  @Override
  protected void applyCopyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {
    double[] xs = x.toDoubles();
    double[] ys = y.toDoubles();
    for (int n = 0; n < x.dim(0); n++) {
      for (int c = 0; c < columns; c++) {
        int to = (int) (n * y.dim(1) + yFrom) + c;
        double value = xs[(int) (n * x.dim(1) + xFrom) + c];
        ys[to] = accumulate ? ys[to] + value : value;
      }
    }
    y.setDoubles(ys);
  }
}
