package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/** Sums over rows, in an order fixed by the shapes. */
public abstract class ReductionOperators {
  /**
   * y[c] = Σ_n x[n, c] (plus the old value when accumulating).
   *
   * @param x [N, C], an activation or real
   * @param y [C], real
   */
  public final void columnSum(Tensor x, boolean accumulate, Tensor y) {
    Check.activation("columnSum", "x", x, -1, -1);
    Check.real("columnSum", "y", y, x.dim(1));
    applyColumnSum(x, accumulate, y);
  }

  /**
   * The backward step of a bias and a ReLU: dz becomes 0 where the ReLU's output is, in place, and
   * what is left of it is summed as {@link #columnSum} does.
   *
   * @param output of the ReLU, [N, C]
   * @param dz gradient of the output on entry, of the ReLU's input on return, [N, C]
   * @param db [C], real
   */
  public final void reluColumnSum(Tensor output, Tensor dz, boolean accumulate, Tensor db) {
    Check.alike("reluColumnSum", "output", output, "dz", dz);
    Check.activation("reluColumnSum", "dz", dz, -1, -1);
    Check.real("reluColumnSum", "db", db, dz.dim(1));
    applyReluColumnSum(output, dz, accumulate, db);
  }

  /**
   * y[s] = Σ of the rows of x in segment s, which are offsets[s] to offsets[s+1].
   *
   * @param x [T, C]
   * @param offsets I64 [S+1], from 0 to T, not falling
   * @param y [S, C]
   */
  public final void segmentSum(Tensor x, Tensor offsets, Tensor y) {
    checkSegments("segmentSum", x, offsets, y);
    applySegmentSum(x, offsets, y);
  }

  /** x[t] = y[segment of t]: the gradient of {@link #segmentSum}. */
  public final void segmentBroadcast(Tensor y, Tensor offsets, Tensor x) {
    checkSegments("segmentBroadcast", x, offsets, y);
    applySegmentBroadcast(y, offsets, x);
  }

  private static void checkSegments(String operator, Tensor x, Tensor offsets, Tensor y) {
    Check.real(operator, "x", x, -1, -1);
    Check.real(operator, "y", y, -1, x.dim(1));
    Check.typed(operator, "offsets", offsets, DType.I64, y.dim(0) + 1);
  }

  /**
   * y = Σ x over all elements.
   *
   * @param y [1]
   */
  public final void sum(Tensor x, Tensor y) {
    Check.real("sum", "y", y, 1);
    Check.typed("sum", "x", x, y.dtype(), x.shape().toArray());
    applySum(x, y);
  }

  protected abstract void applyColumnSum(Tensor x, boolean accumulate, Tensor y);

  /** One operator after the other; devices that can do both in one pass do. */
  protected void applyReluColumnSum(Tensor output, Tensor dz, boolean accumulate, Tensor db) {
    dz.device().operators().elementwise().activationBackward(Activation.RELU, output, dz, dz);
    applyColumnSum(dz, accumulate, db);
  }

  protected abstract void applySegmentSum(Tensor x, Tensor offsets, Tensor y);

  protected abstract void applySegmentBroadcast(Tensor y, Tensor offsets, Tensor x);

  protected abstract void applySum(Tensor x, Tensor y);
}
