package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/**
 * Global averages and sums over the active sites of each matrix of a batch. Features and their
 * gradients have one type, that of activations or the real one; averages are real, sums in double:
 * an average is the same, to its last bit, whether it is formed at once or from the sums of parts.
 */
public abstract class PoolingOperators {
  /**
   * y[b] = mean of the rows of x that belong to matrix b; zero for a matrix without sites. Rows
   * before the first matrix and behind the last belong to none.
   *
   * @param x [N, C]
   * @param offsets I64 [B+1]: sites of matrix b are rows offsets[b] to offsets[b+1]
   * @param y [B, C]
   */
  public final void globalAverage(Tensor x, Tensor offsets, Tensor y) {
    check("globalAverage", x, offsets, y);
    applyPool(x, offsets, true, y);
  }

  /**
   * sum[b] += sum of the rows of x that belong to matrix b, which are as {@link #globalAverage} has
   * them.
   *
   * @param x [N, C]
   * @param offsets I64 [B+1]
   * @param sum F64 [B, C]
   */
  public final void addSum(Tensor x, Tensor offsets, Tensor sum) {
    Check.activation("addSum", "x", x, -1, -1);
    Check.typed("addSum", "sum", sum, DType.F64, -1, x.dim(1));
    Check.typed("addSum", "offsets", offsets, DType.I64, sum.dim(0) + 1);
    applyPool(x, offsets, false, sum);
  }

  /**
   * y[b] = sum[b] / sites[b]; zero for a matrix without sites, whose sum is.
   *
   * @param sum F64 [B, C], by {@link #addSum}
   * @param sites I64 [B]
   * @param y [B, C]
   */
  public final void averageOfSum(Tensor sum, Tensor sites, Tensor y) {
    Check.real("averageOfSum", "y", y, -1, -1);
    Check.typed("averageOfSum", "sum", sum, DType.F64, y.dim(0), y.dim(1));
    Check.typed("averageOfSum", "sites", sites, DType.I64, y.dim(0));
    applyAverageOfSum(sum, sites, y);
  }

  /**
   * Gradient that enters a ReLU whose output went to the next layer and to the pool: dz = (dNext +
   * dPooled[b]/N_b) where y > 0, else 0; rows of no matrix have no share of dPooled.
   *
   * @param y [N, C], the ReLU's output
   * @param dNext [N, C], or null when no next layer reads y; may be dz
   * @param dPooled [B, C]
   * @param offsets I64 [B+1]
   * @param dz [N, C]
   */
  public final void reluAverageBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, Tensor dz) {
    checkBackward("reluAverageBackward", y, dNext, dPooled, offsets, dz);
    applyReluPoolBackward(y, dNext, dPooled, offsets, true, dz);
  }

  /**
   * As {@link #reluAverageBackward} where the pool is {@link #addSum}: dz = (dNext + dSum[b]) where
   * y > 0, else 0.
   */
  public final void reluSumBackward(
      Tensor y, Tensor dNext, Tensor dSum, Tensor offsets, Tensor dz) {
    checkBackward("reluSumBackward", y, dNext, dSum, offsets, dz);
    applyReluPoolBackward(y, dNext, dSum, offsets, false, dz);
  }

  private static void checkBackward(
      String operator, Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, Tensor dz) {
    check(operator, y, offsets, dPooled);
    if (dNext != null) {
      Check.alike(operator, "dNext", dNext, "y", y);
    }
    Check.alike(operator, "dz", dz, "y", y);
  }

  private static void check(String operator, Tensor x, Tensor offsets, Tensor pooled) {
    Check.activation(operator, "x", x, -1, -1);
    Check.real(operator, "pooled", pooled, -1, x.dim(1));
    Check.typed(operator, "offsets", offsets, DType.I64, pooled.dim(0) + 1);
  }

  /**
   * @param averaged whether y is written over with averages; sums are added to it, in F64
   */
  protected abstract void applyPool(Tensor x, Tensor offsets, boolean averaged, Tensor y);

  /** On the host, where a few numbers a matrix take no other form. */
  protected void applyAverageOfSum(Tensor sum, Tensor sites, Tensor y) {
    double[] averages = sum.toDoubles();
    long[] counts = sites.toLongs();
    int channels = Math.toIntExact(y.dim(1));
    for (int i = 0; i < averages.length; i++) {
      averages[i] /= Math.max(1, counts[i / channels]);
    }
    y.setDoubles(averages);
  }

  protected abstract void applyReluPoolBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, boolean averaged, Tensor dz);
}
