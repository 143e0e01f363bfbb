package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.OptimizerOperators;
import java.util.List;

/** Parameter by parameter, element by element. */
final class ReferenceOptimizer extends OptimizerOperators {
  @Override
  protected void applyGlobalNorm(List<Tensor> gradients, Tensor norm) {
    double squares = 0;
    for (Tensor gradient : gradients) {
      for (double value : gradient.toDoubles()) {
        squares += value * value;
      }
    }
    norm.setDoubles(new double[] {Math.sqrt(squares)});
  }

  @Override
  protected void applyAdam(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm) {
    double clip = settings.clipNorm() > 0 ? Math.min(1, settings.clipNorm() / norm.item()) : 1;
    double correction1 = 1 - StrictMath.pow(settings.beta1(), (double) settings.step());
    double correction2 = 1 - StrictMath.pow(settings.beta2(), (double) settings.step());
    for (int p = 0; p < weights.size(); p++) {
      double[] w = weights.get(p).toDoubles();
      double[] g = gradients.get(p).toDoubles();
      double[] m = firstMoments.get(p).toDoubles();
      double[] v = secondMoments.get(p).toDoubles();
      for (int i = 0; i < w.length; i++) {
        double gradient = g[i] * clip;
        if (!settings.decoupled()) {
          gradient += settings.weightDecay() * w[i];
        }
        m[i] = settings.beta1() * m[i] + (1 - settings.beta1()) * gradient;
        v[i] = settings.beta2() * v[i] + (1 - settings.beta2()) * gradient * gradient;
        if (settings.decoupled()) {
          w[i] -= settings.rate() * settings.weightDecay() * w[i];
        }
        double deviation = Math.sqrt(v[i] / correction2) + settings.epsilon();
        w[i] -= settings.rate() * (m[i] / correction1) / deviation;
      }
      weights.get(p).setDoubles(w);
      firstMoments.get(p).setDoubles(m);
      secondMoments.get(p).setDoubles(v);
      gradients.get(p).setDoubles(new double[g.length]);
    }
  }

  @Override
  protected void applyAverage(double share, List<Tensor> weights, List<Tensor> averages) {
    for (int p = 0; p < weights.size(); p++) {
      double[] w = weights.get(p).toDoubles();
      double[] a = averages.get(p).toDoubles();
      for (int i = 0; i < w.length; i++) {
        a[i] += share * (w[i] - a[i]);
      }
      averages.get(p).setDoubles(a);
    }
  }
}
