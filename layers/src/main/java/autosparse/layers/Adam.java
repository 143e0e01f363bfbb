package autosparse.layers;

import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.OptimizerOperators.AdamStep;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019) over all parameters at once,
 * with clipping of the global gradient norm. Owner of the moments' memory: twice the parameters'.
 */
public final class Adam implements AutoCloseable {
  /**
   * Settings that do not change during a run.
   *
   * @param rate base learning rate, above 0
   * @param beta1 share of the first moment that a step keeps
   * @param beta2 share of the second moment that a step keeps
   * @param epsilon added to the root of the second moment
   * @param weightDecay see {@code decoupled}
   * @param decoupled whether decay acts on the weights (AdamW) instead of the gradients
   * @param clipNorm largest global gradient norm; 0 for none
   */
  public record Settings(
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      boolean decoupled,
      double clipNorm) {
    /**
     * Checks the rate.
     *
     * @throws IllegalArgumentException when it is not above 0
     */
    public Settings {
      if (!(rate > 0)) {
        throw new IllegalArgumentException("learning rate " + rate + ": expected > 0");
      }
    }

    /** With the published β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸. */
    public static Settings of(double rate, double weightDecay, boolean decoupled, double clip) {
      return new Settings(rate, 0.9, 0.999, 1e-8, weightDecay, decoupled, clip);
    }
  }

  private final TensorScope scope;
  private final Operators operators;
  private final Parameters parameters;
  private final Settings settings;
  private final List<Tensor> firstMoments = new ArrayList<>();
  private final List<Tensor> secondMoments = new ArrayList<>();
  private final Tensor norm;
  private long steps;

  /**
   * Makes moments of zeros, two for each parameter there is by now.
   *
   * @param parent of the scope that holds them
   */
  public Adam(TensorScope parent, Parameters parameters, Settings settings) {
    this.scope = parent.child("adam");
    this.operators = scope.device().operators();
    this.parameters = parameters;
    this.settings = settings;
    parameters
        .byName()
        .forEach(
            (name, parameter) -> {
              long[] sizes = parameter.value().shape().toArray();
              firstMoments.add(scope.zeros(name + " m", MemoryTag.OPTIMIZER, sizes));
              secondMoments.add(scope.zeros(name + " v", MemoryTag.OPTIMIZER, sizes));
            });
    norm = scope.zeros("gradient norm", MemoryTag.OPTIMIZER, 1);
  }

  /** Steps done so far. */
  public long steps() {
    return steps;
  }

  /** Continues from a saved number of steps. */
  public void setSteps(long count) {
    steps = count;
  }

  /**
   * Queues the update of all parameters from their gradients, which it zeroes. When it fails for
   * want of memory nothing has changed.
   *
   * @param rateFactor factor of the base rate, see {@link RateSchedule}
   */
  public void step(double rateFactor) {
    List<Tensor> gradients = parameters.gradients();
    operators.optimizer().globalNorm(gradients, norm);
    operators
        .optimizer()
        .adam(next(rateFactor), parameters.values(), gradients, firstMoments, secondMoments, norm);
    steps++; // a step that failed is not counted
  }

  /**
   * As {@link #step(double)}, and takes the new weights into their average.
   *
   * @param average of the same parameters
   */
  public void step(double rateFactor, WeightAverage average) {
    List<Tensor> gradients = parameters.gradients();
    operators.optimizer().globalNorm(gradients, norm);
    operators
        .optimizer()
        .adamAveraged(
            next(rateFactor),
            parameters.values(),
            gradients,
            firstMoments,
            secondMoments,
            norm,
            average.share(steps + 1),
            average.tensors());
    steps++;
  }

  private AdamStep next(double rateFactor) {
    return new AdamStep(
        steps + 1,
        settings.rate() * rateFactor,
        settings.beta1(),
        settings.beta2(),
        settings.epsilon(),
        settings.weightDecay(),
        settings.decoupled(),
        settings.clipNorm());
  }

  /** Gradient norm of the last step, before clipping; waits for it. */
  public double gradientNorm() {
    return norm.item();
  }

  /** Gradient norm of the last step, before clipping, [1]. */
  public Tensor norm() {
    return norm;
  }

  /** The moments, by parameter: {@code NAME.m} and {@code NAME.v}. */
  public StateDict stateDict() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    int p = 0;
    for (String name : parameters.byName().keySet()) {
      tensors.put(name + ".m", firstMoments.get(p));
      tensors.put(name + ".v", secondMoments.get(p));
      p++;
    }
    return new StateDict(tensors);
  }

  /** Frees the moments. */
  @Override
  public void close() {
    scope.close();
  }
}
