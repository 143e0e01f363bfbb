package autosparse.autograd;

import autosparse.engine.Tensor;

/**
 * A tensor in a computation, and where its gradient goes.
 *
 * <p>Three kinds: a constant has no gradient; a leaf (a parameter) has one that its owner made and
 * that backward passes ACCUMULATE into; a result has one that the tape makes when the first
 * consumer's backward step runs and frees when the result's own backward step has run.
 */
public final class Variable {
  private Tensor value;
  private final boolean differentiable;
  private final boolean leaf;
  Tensor gradient;

  private Variable(Tensor value, boolean differentiable, boolean leaf, Tensor gradient) {
    this.value = value;
    this.differentiable = differentiable;
    this.leaf = leaf;
    this.gradient = gradient;
  }

  /** A value that no gradient is taken by. */
  public static Variable constant(Tensor value) {
    return new Variable(value, false, false, null);
  }

  /**
   * A parameter: gradients are added to {@code gradient}, which the caller zeroes between steps.
   *
   * @throws IllegalArgumentException when the gradient's type or shape is not the value's
   */
  public static Variable leaf(Tensor value, Tensor gradient) {
    if (gradient.dtype() != value.dtype() || !gradient.shape().equals(value.shape())) {
      throw new IllegalArgumentException(
          "leaf " + value + " with gradient " + gradient + ": types or shapes differ");
    }
    return new Variable(value, true, true, gradient);
  }

  static Variable result(Tensor value, boolean differentiable) {
    return new Variable(value, differentiable, false, null);
  }

  /** Puts the same value, computed again, in the place of one that was freed. */
  void restore(Tensor again) {
    value = again;
  }

  /** What functions read: the tensor itself, no copy. */
  public Tensor value() {
    return value;
  }

  /** Whether a backward pass would give this variable a gradient. */
  public boolean isDifferentiable() {
    return differentiable;
  }

  /** Whether its gradient is its own and outlives the tape. */
  public boolean isLeaf() {
    return leaf;
  }

  /** The gradient so far, or null when there is none yet. */
  public Tensor gradient() {
    return gradient;
  }

  @Override
  public String toString() {
    return value.toString();
  }
}
