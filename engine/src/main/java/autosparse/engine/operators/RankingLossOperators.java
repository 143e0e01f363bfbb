package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/**
 * Ranking losses over groups of scores, with their gradients; never more than O(N) memory.
 *
 * <p>A group (one matrix and operator) is the elements offsets[g] to offsets[g+1]; pairs are formed
 * inside groups only. Labels are relative speeds, 1 = best; larger scores mean faster.
 */
public abstract class RankingLossOperators {
  /**
   * Margin ranking loss: mean over the pairs of a group with different labels of max(0, margin −
   * sign(y_i − y_j)(s_i − s_j)). Ties are left out (the published code counts them as a constant).
   *
   * @param scores [N]
   * @param labels [N]
   * @param offsets I64 [G+1]
   * @param losses [G], written; 0 for a group without an unequal pair
   * @param dScores [N], written: gradient of each group's loss by its scores
   */
  public final void margin(
      Tensor scores, Tensor labels, Tensor offsets, double margin, Tensor losses, Tensor dScores) {
    check("margin", scores, labels, offsets, losses, dScores);
    applyMargin(scores, labels, offsets, margin, losses, dScores);
  }

  /**
   * LambdaRank as TLP, TenSet and AutoSparse use it. With the predictions sorted descending (ties
   * by ascending index), rank r = 1…N, D_r = log2(1 + r), maxDCG = Σ (2^y − 1)/D over the labels
   * sorted descending, G = (2^y − 1)/maxDCG: L = Σ over pairs y_i &gt; y_j of |1/D_i − 1/D_j|·|G_i
   * − G_j|·log2(1 + e^{−(s_i − s_j)}). The weights carry no gradient. A sum, as published. 0 for a
   * group whose maxDCG is 0.
   */
  public final void lambdaRank(
      Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores) {
    check("lambdaRank", scores, labels, offsets, losses, dScores);
    applyLambdaRank(scores, labels, offsets, losses, dScores);
  }

  private static void check(
      String operator,
      Tensor scores,
      Tensor labels,
      Tensor offsets,
      Tensor losses,
      Tensor dScores) {
    Check.real(operator, "scores", scores, -1);
    Check.alike(operator, "labels", labels, "scores", scores);
    Check.alike(operator, "dScores", dScores, "scores", scores);
    Check.real(operator, "losses", losses, -1);
    Check.typed(operator, "offsets", offsets, DType.I64, losses.dim(0) + 1);
  }

  protected abstract void applyMargin(
      Tensor scores, Tensor labels, Tensor offsets, double margin, Tensor losses, Tensor dScores);

  protected abstract void applyLambdaRank(
      Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores);
}
