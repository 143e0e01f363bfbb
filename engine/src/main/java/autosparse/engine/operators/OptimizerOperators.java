package autosparse.engine.operators;

import autosparse.engine.Tensor;
import java.util.List;

/** Updates of all parameters at once. */
public abstract class OptimizerOperators {
  /**
   * Settings of one Adam step (Kingma and Ba, 2015; decoupled decay: Loshchilov and Hutter, 2019).
   *
   * @param step number of this step, from 1
   * @param weightDecay added to the gradient, or, when decoupled, taken from the weight as
   *     rate·weightDecay·weight
   * @param clipNorm largest global gradient norm; 0 for no clipping
   */
  public record AdamStep(
      long step,
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      boolean decoupled,
      double clipNorm) {
    /** Factor of the weight in what is added to its gradient. */
    public double coupledDecay() {
      return decoupled ? 0 : weightDecay;
    }

    /** Factor of the weight in what is taken from itself. */
    public double decoupledDecay() {
      return decoupled ? rate * weightDecay : 0;
    }

    /** What the first moment, which started from 0, is divided by: 1 − β₁^step. */
    public double correction1() {
      return 1 - StrictMath.pow(beta1, (double) step);
    }

    /** What the second moment is divided by: 1 − β₂^step. */
    public double correction2() {
      return 1 - StrictMath.pow(beta2, (double) step);
    }
  }

  /**
   * norm = √Σ g² over all tensors, in a fixed order.
   *
   * @param norm [1]
   */
  public final void globalNorm(List<Tensor> gradients, Tensor norm) {
    Check.real("globalNorm", "norm", norm, 1);
    for (Tensor gradient : gradients) {
      Check.sameType("globalNorm", "gradient", gradient, "norm", norm);
    }
    applyGlobalNorm(gradients, norm);
  }

  /**
   * One Adam step over all parameters. Gradients are first scaled by min(1, clipNorm/norm) when
   * clipNorm is positive; the norm stays on the device. Afterwards the gradients are zero, ready to
   * be accumulated into.
   *
   * @param norm [1], from {@link #globalNorm}
   */
  public final void adam(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm) {
    checkAdam(weights, gradients, firstMoments, secondMoments, norm);
    applyAdam(settings, weights, gradients, firstMoments, secondMoments, norm);
  }

  /**
   * One Adam step as by {@link #adam}, then the new weights taken into their averages as by {@link
   * #average}: all of it or, where memory is short, nothing.
   */
  public final void adamAveraged(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm,
      double share,
      List<Tensor> averages) {
    checkAdam(weights, gradients, firstMoments, secondMoments, norm);
    checkAverage(share, weights, averages);
    applyAdamAveraged(
        settings, weights, gradients, firstMoments, secondMoments, norm, share, averages);
  }

  private static void checkAdam(
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm) {
    int count = weights.size();
    Check.that(
        gradients.size() == count && firstMoments.size() == count && secondMoments.size() == count,
        "adam",
        count
            + " weights, "
            + gradients.size()
            + " gradients, "
            + firstMoments.size()
            + " and "
            + secondMoments.size()
            + " moments: expected equally many");
    for (int p = 0; p < count; p++) {
      Check.real("adam", "weight", weights.get(p), weights.get(p).shape().toArray());
      Check.alike("adam", "gradient", gradients.get(p), "weight", weights.get(p));
      Check.alike("adam", "first moment", firstMoments.get(p), "weight", weights.get(p));
      Check.alike("adam", "second moment", secondMoments.get(p), "weight", weights.get(p));
    }
    Check.real("adam", "norm", norm, 1);
  }

  /**
   * One step of an exponential moving average of all weights: average += share·(weight − average).
   *
   * @param share of the new weights, in (0, 1]
   */
  public final void average(double share, List<Tensor> weights, List<Tensor> averages) {
    checkAverage(share, weights, averages);
    applyAverage(share, weights, averages);
  }

  private static void checkAverage(double share, List<Tensor> weights, List<Tensor> averages) {
    Check.that(share > 0 && share <= 1, "average", "share " + share + ": expected in (0, 1]");
    Check.that(
        averages.size() == weights.size(),
        "average",
        weights.size() + " weights, " + averages.size() + " averages: expected equally many");
    for (int p = 0; p < weights.size(); p++) {
      Check.real("average", "weight", weights.get(p), weights.get(p).shape().toArray());
      Check.alike("average", "average", averages.get(p), "weight", weights.get(p));
    }
  }

  protected abstract void applyGlobalNorm(List<Tensor> gradients, Tensor norm);

  protected abstract void applyAdam(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm);

  protected abstract void applyAverage(double share, List<Tensor> weights, List<Tensor> averages);

  /** Overridden where the two take memory: it has to be there before the first changes anything. */
  protected void applyAdamAveraged(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm,
      double share,
      List<Tensor> averages) {
    applyAdam(settings, weights, gradients, firstMoments, secondMoments, norm);
    applyAverage(share, weights, averages);
  }
}
