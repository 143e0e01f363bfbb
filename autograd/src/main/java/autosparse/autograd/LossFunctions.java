package autosparse.autograd;

import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import java.util.List;

/**
 * Differentiable ranking losses and what makes one number of them. {@link
 * autosparse.engine.operators.RankingLossOperators} defines the losses. Everything is real;
 * arguments whose shapes or types do not fit are an {@link IllegalArgumentException}.
 */
public final class LossFunctions {
  private LossFunctions() {}

  /**
   * Margin ranking loss of each group: the mean over its pairs of unequal labels.
   *
   * @param scores [N], larger = faster
   * @param labels [N], relative speeds, 1 = best
   * @param offsets I64 [G+1], the first score of each group, then N
   * @param margin how far apart the scores of a pair should be at the least
   * @return [G]
   */
  public static Variable margin(
      Tape tape, Variable scores, Tensor labels, Tensor offsets, double margin) {
    return ranking(
        tape,
        "margin loss",
        scores,
        offsets,
        (losses, dScores) ->
            tape.operators()
                .rankingLoss()
                .margin(scores.value(), labels, offsets, margin, losses, dScores));
  }

  /**
   * LambdaRank loss of each group: a sum over its pairs.
   *
   * @param scores [N], larger = faster
   * @param labels [N], relative speeds, 1 = best
   * @param offsets I64 [G+1], the first score of each group, then N
   * @return [G]
   */
  public static Variable lambdaRank(Tape tape, Variable scores, Tensor labels, Tensor offsets) {
    return ranking(
        tape,
        "LambdaRank loss",
        scores,
        offsets,
        (losses, dScores) ->
            tape.operators()
                .rankingLoss()
                .lambdaRank(scores.value(), labels, offsets, losses, dScores));
  }

  @FunctionalInterface
  private interface LossOperator {
    void run(Tensor losses, Tensor dScores);
  }

  /** Loss and gradient come from one visit of the pairs; backward only scales by group. */
  private static Variable ranking(
      Tape tape, String name, Variable scores, Tensor offsets, LossOperator operator) {
    Variable losses = tape.output(name, List.of(scores), offsets.dim(0) - 1);
    Tensor dScores = tape.save("score gradient", scores.value().dim(0));
    operator.run(losses.value(), dScores);
    tape.record(
        name,
        List.of(losses),
        List.of(dScores),
        () ->
            tape.gradient(
                scores,
                dx ->
                    tape.operators()
                        .elementwise()
                        .scaleGroups(dScores, losses.gradient(), offsets, dx)));
    return losses;
  }

  /** scale·x, in the shape of x. */
  public static Variable scale(Tape tape, Variable x, double scale) {
    Variable y = tape.output("scale", List.of(x), x.value().shape().toArray());
    tape.operators().elementwise().scale(scale, x.value(), y.value());
    tape.record(
        "scale",
        List.of(y),
        List.of(),
        () ->
            tape.gradient(x, dx -> tape.operators().elementwise().scale(scale, y.gradient(), dx)));
    return y;
  }

  /** scale·Σ x, [1]. */
  public static Variable scaledSum(Tape tape, Variable x, double scale) {
    Variable y = tape.output("scaled sum", List.of(x), 1);
    tape.operators().reduction().sum(x.value(), y.value());
    tape.operators().elementwise().scale(scale, y.value(), y.value());
    tape.record(
        "scaled sum",
        List.of(y),
        List.of(),
        () ->
            tape.gradient(
                x,
                dx -> {
                  long count = dx.elements();
                  Tensor all =
                      tape.scope().longs("one segment", MemoryTag.WORKSPACE, new long[] {0, count});
                  Tensor rows = dx.view(count, 1);
                  var operators = tape.operators();
                  operators.reduction().segmentBroadcast(y.gradient().view(1, 1), all, rows);
                  operators.elementwise().scale(scale, rows, rows);
                  tape.scope().release(all);
                }));
    return y;
  }
}
