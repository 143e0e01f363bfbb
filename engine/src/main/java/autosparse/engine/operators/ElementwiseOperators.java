package autosparse.engine.operators;

import autosparse.engine.Tensor;

/** Operators that treat every element alone. Outputs may be their own inputs (in place). */
public abstract class ElementwiseOperators {
  /** y = value. */
  public final void fill(Tensor y, double value) {
    Check.storage("fill", "y", y);
    applyFill(y, value);
  }

  /** y = x. */
  public final void copy(Tensor x, Tensor y) {
    Check.alike("copy", "x", x, "y", y);
    applyCopy(x, y);
  }

  /**
   * y = x in y's type, rounded to the nearest (ties to even) where that is the narrower one.
   *
   * @param y in the shape of x
   */
  public final void cast(Tensor x, Tensor y) {
    Check.activation("cast", "x", x, y.shape().toArray());
    Check.storage("cast", "y", y);
    if (x.dtype() == y.dtype()) {
      applyCopy(x, y);
    } else {
      applyCast(x, y);
    }
  }

  /** y = a + b. */
  public final void add(Tensor a, Tensor b, Tensor y) {
    Check.alike("add", "a", a, "y", y);
    Check.alike("add", "b", b, "y", y);
    applyAdd(a, b, y);
  }

  /** y += alpha·x. */
  public final void axpy(double alpha, Tensor x, Tensor y) {
    Check.alike("axpy", "x", x, "y", y);
    applyAxpy(alpha, x, y);
  }

  /** y = alpha·x. */
  public final void scale(double alpha, Tensor x, Tensor y) {
    Check.alike("scale", "x", x, "y", y);
    applyScale(alpha, x, y);
  }

  /**
   * y = x·factor[group of the element's row]: rows of group g are offsets[g] to offsets[g+1].
   *
   * @param x [T, C] or [T]
   * @param factor [G]
   * @param offsets I64 [G+1]
   */
  public final void scaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {
    Check.alike("scaleGroups", "x", x, "y", y);
    Check.real("scaleGroups", "factor", factor, -1);
    Check.typed("scaleGroups", "offsets", offsets, autosparse.engine.DType.I64, factor.dim(0) + 1);
    applyScaleGroups(x, factor, offsets, y);
  }

  /** y = activation(x). */
  public final void activation(Activation activation, Tensor x, Tensor y) {
    Check.alike("activation", "x", x, "y", y);
    applyActivation(activation, x, y);
  }

  /**
   * dx = dy·activation'(x).
   *
   * @param x the activation's input; for RELU its output serves as well
   */
  public final void activationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {
    Check.alike("activationBackward", "x", x, "dx", dx);
    Check.alike("activationBackward", "dy", dy, "dx", dx);
    applyActivationBackward(activation, x, dy, dx);
  }

  /**
   * y = x/keep with probability keep, else 0. Which elements stay depends on the seed and the
   * element's index alone (a counter-based generator), so the backward pass is this operator on the
   * gradient with the same seed.
   *
   * @param keep probability of staying, in (0, 1]
   */
  public final void dropout(Tensor x, double keep, long seed, Tensor y) {
    Check.alike("dropout", "x", x, "y", y);
    Check.that(keep > 0 && keep <= 1, "dropout", "keep " + keep + ": expected in (0, 1]");
    applyDropout(x, keep, seed, y);
  }

  /**
   * Copies columns: y[:, yFrom + c] = x[:, xFrom + c] for c below columns (plus the old value when
   * accumulating); y's other columns stay.
   *
   * @param x [N, A]
   * @param y [N, B]
   */
  public final void copyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {
    Check.activation("copyColumns", "x", x, -1, -1);
    Check.activation("copyColumns", "y", y, x.dim(0), -1);
    Check.sameType("copyColumns", "x", x, "y", y);
    Check.that(
        xFrom >= 0
            && yFrom >= 0
            && columns >= 0
            && xFrom + columns <= x.dim(1)
            && yFrom + columns <= y.dim(1),
        "copyColumns",
        columns + " columns from " + xFrom + " of " + x + " to " + yFrom + " of " + y);
    applyCopyColumns(x, xFrom, y, yFrom, columns, accumulate);
  }

  protected abstract void applyFill(Tensor y, double value);

  protected abstract void applyCopy(Tensor x, Tensor y);

  /** Types that differ: on devices whose activations have a type of their own. */
  protected void applyCast(Tensor x, Tensor y) {
    throw new IllegalStateException(
        "cast: " + x + " to " + y + " on " + x.device().name() + ", which has one real type");
  }

  protected abstract void applyAdd(Tensor a, Tensor b, Tensor y);

  protected abstract void applyAxpy(double alpha, Tensor x, Tensor y);

  protected abstract void applyScale(double alpha, Tensor x, Tensor y);

  protected abstract void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y);

  protected abstract void applyActivation(Activation activation, Tensor x, Tensor y);

  protected abstract void applyActivationBackward(
      Activation activation, Tensor x, Tensor dy, Tensor dx);

  protected abstract void applyDropout(Tensor x, double keep, long seed, Tensor y);

  protected abstract void applyCopyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate);
}
