package autosparse.engine.operators;

import autosparse.engine.Tensor;

/** Dense matrix products. */
public abstract class GemmOperators {
  /**
   * C = alpha·op(A)·op(B) + beta·C, op being the transpose where asked.
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
    Check.real("gemm", "c", c, -1, -1);
    long m = c.dim(0);
    long n = c.dim(1);
    Check.real("gemm", "a", a, transposeA ? -1 : m, transposeA ? m : -1);
    long k = a.dim(transposeA ? 0 : 1);
    Check.real("gemm", "b", b, transposeB ? n : k, transposeB ? k : n);
    Check.sameType("gemm", "a", a, "c", c);
    Check.sameType("gemm", "b", b, "c", c);
    multiply(transposeA, a, transposeB, b, alpha, beta, c);
  }

  /**
   * y = activation(x·weightᵀ + bias), fused.
   *
   * @param x [N, in]
   * @param weight [out, in]
   * @param bias [out], or null for none
   * @param activation IDENTITY or RELU (GELU's gradient needs its input: apply it separately)
   * @param y [N, out]
   */
  public final void linear(Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    Check.real("linear", "x", x, -1, -1);
    Check.real("linear", "weight", weight, -1, x.dim(1));
    Check.real("linear", "y", y, x.dim(0), weight.dim(0));
    Check.sameType("linear", "weight", weight, "x", x);
    Check.sameType("linear", "y", y, "x", x);
    if (bias != null) {
      Check.real("linear", "bias", bias, weight.dim(0));
      Check.sameType("linear", "bias", bias, "x", x);
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
