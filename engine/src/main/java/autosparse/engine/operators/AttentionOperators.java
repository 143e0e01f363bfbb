package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/**
 * Multi-head scaled dot-product self-attention over packed sequences: no padding, no mask; sequence
 * b is the rows offsets[b] to offsets[b+1].
 */
public abstract class AttentionOperators {
  /**
   * out = softmax(q·kᵀ/√d)·v within each sequence and head.
   *
   * @param qkv [T, 3·C]: columns q, then k, then v; head h is columns h·d to (h+1)·d of each
   * @param offsets I64 [B+1], from 0 to T, not falling
   * @param heads H, a divisor of C; d = C/H
   * @param out [T, C], of the type of qkv
   * @param logSumExp [T, H], real: log Σ exp of each row of scores, kept for the backward pass
   */
  public final void attention(Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    check("attention", qkv, offsets, heads, out, logSumExp);
    applyAttention(qkv, offsets, heads, out, logSumExp);
  }

  /** dQkv [T, 3·C] is written; the scores are computed again from qkv and logSumExp. */
  public final void attentionBackward(
      Tensor qkv,
      Tensor offsets,
      int heads,
      Tensor out,
      Tensor logSumExp,
      Tensor dOut,
      Tensor dQkv) {
    check("attentionBackward", qkv, offsets, heads, out, logSumExp);
    Check.alike("attentionBackward", "dOut", dOut, "out", out);
    Check.alike("attentionBackward", "dQkv", dQkv, "qkv", qkv);
    applyAttentionBackward(qkv, offsets, heads, out, logSumExp, dOut, dQkv);
  }

  private static void check(
      String operator, Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    Check.activation(operator, "out", out, -1, -1);
    Check.activation(operator, "qkv", qkv, out.dim(0), 3 * out.dim(1));
    Check.sameType(operator, "qkv", qkv, "out", out);
    Check.that(
        heads > 0 && out.dim(1) % heads == 0,
        operator,
        heads + " heads over " + out.dim(1) + " columns: expected a divisor");
    Check.real(operator, "logSumExp", logSumExp, out.dim(0), heads);
    Check.typed(operator, "offsets", offsets, DType.I64, -1);
    Check.that(offsets.dim(0) >= 1, operator, "offsets is empty: expected at least one entry");
  }

  protected abstract void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp);

  protected abstract void applyAttentionBackward(
      Tensor qkv,
      Tensor offsets,
      int heads,
      Tensor out,
      Tensor logSumExp,
      Tensor dOut,
      Tensor dQkv);
}
