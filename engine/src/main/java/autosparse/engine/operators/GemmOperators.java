package autosparse.engine.operators;

import autosparse.engine.Tensor;

/** Dense matrix products. */
public abstract class GemmOperators {
  /**
   * C = alpha·op(A)·op(B) + beta·C, op being the transpose where asked.
   *
   * <p>Each of the three may be an activation or real. With one BF16 factor the other one is
   * rounded to BF16 as well; sums are in single precision.
   *
   * @param a [M, K], or [K, M] when transposed
   * @param b [K, N], or [N, K] when transposed
   * @param beta 0 overwrites C, whatever it held (NaN included)
   * @param c [M, N]
   */
  public final void gemm(
      boolean transposeA,
      Tensor a,
      boolean transposeB,
      Tensor b,
      double alpha,
      double beta,
      Tensor c) {
    Check.activation("gemm", "c", c, -1, -1);
    long m = c.dim(0);
    long n = c.dim(1);
    Check.activation("gemm", "a", a, transposeA ? -1 : m, transposeA ? m : -1);
    long k = a.dim(transposeA ? 0 : 1);
    Check.activation("gemm", "b", b, transposeB ? n : k, transposeB ? k : n);
    multiply(transposeA, a, transposeB, b, alpha, beta, c);
  }

  /**
   * y = activation(x·weightᵀ + bias), fused.
   *
   * @param x [N, in]
   * @param weight [out, in], real, rounded to x's type for the product; or of x's type
   * @param bias [out], real, or null for none
   * @param activation IDENTITY or RELU (GELU's gradient needs its input: apply it separately)
   * @param y [N, out]
   */
  public final void linear(Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    Check.activation("linear", "x", x, -1, -1);
    Check.activation("linear", "weight", weight, -1, x.dim(1));
    if (weight.dtype() != x.dtype()) {
      Check.real("linear", "weight", weight, -1, x.dim(1));
    }
    Check.activation("linear", "y", y, x.dim(0), weight.dim(0));
    Check.sameType("linear", "y", y, "x", x);
    if (bias != null) {
      Check.real("linear", "bias", bias, weight.dim(0));
    }
    Check.that(activation != Activation.GELU, "linear", "activation GELU cannot be fused");
    applyLinear(x, weight, bias, activation, y);
  }

  /** What does the products, in one line: a library and its version, or our own kernels. */
  public abstract String provider();

  protected abstract void multiply(
      boolean transposeA,
      Tensor a,
      boolean transposeB,
      Tensor b,
      double alpha,
      double beta,
      Tensor c);

  protected abstract void applyLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y);
}
