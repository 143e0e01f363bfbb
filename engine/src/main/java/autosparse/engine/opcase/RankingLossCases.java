package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.opcase.Invocation.Gradient;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.RankingLossOperators;
import java.util.List;

/**
 * Ranking losses; the free size is the number of scores. Scores are distinct multiples of 1/8 and
 * the margin lies between two of them: no pair is tied or on the hinge, in float as in double.
 */
final class RankingLossCases {
  private static final double STEP = 0.125;
  private static final double MARGIN = 1.0625;

  private RankingLossCases() {}

  private interface Loss {
    void run(
        RankingLossOperators operators,
        Tensor scores,
        Tensor labels,
        Tensor offsets,
        Tensor losses,
        Tensor dScores);
  }

  static List<OpCase> all() {
    Loss margin = (r, s, y, o, losses, ds) -> r.margin(s, y, o, MARGIN, losses, ds);
    Loss lambdaRank = RankingLossOperators::lambdaRank;
    return List.of(
        loss("margin one group", margin, 5),
        loss("margin groups", margin, 5, 0, 12, 1, 200, 2),
        loss("lambdaRank one group", lambdaRank, 30),
        loss("lambdaRank groups", lambdaRank, 30, 0, 12, 1, 200, 2));
  }

  private static OpCase loss(String name, Loss loss, double flopsPerPair, int... lengths) {
    return new OpCase(
        name,
        "rankingLoss",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        lengths.length == 0 ? 768 : 4096,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          long[] starts =
              lengths.length == 0 ? new long[] {0, size} : Values.segments(size, lengths);
          Tensor scores = values.reals("scores", scores(values, starts));
          Tensor labels = values.reals("labels", labels(values, starts));
          Tensor offsets = values.longs("offsets", starts);
          Tensor losses = values.output("losses", starts.length - 1);
          Tensor dScores = values.output("dScores", size);
          RankingLossOperators operators = scope.device().operators().rankingLoss();
          double pairs = 0;
          for (int g = 0; g + 1 < starts.length; g++) {
            pairs += Math.pow((double) (starts[g + 1] - starts[g]), 2);
          }
          return Invocation.of(
              List.of(scores, offsets),
              List.of(losses, dScores),
              () -> loss.run(operators, scores, labels, offsets, losses, dScores),
              Gradient.ofFirst(
                  1,
                  (results, dOutputs) -> {
                    Tensor gradient = results.workspaceLike(scores);
                    results
                        .device()
                        .operators()
                        .elementwise()
                        .scaleGroups(dScores, dOutputs.get(0), offsets, gradient);
                    return java.util.Arrays.asList(gradient, null);
                  }),
              flopsPerPair * pairs);
        });
  }

  /** Distinct within each group, around 0. */
  private static double[] scores(Values values, long[] starts) {
    double[] scores = new double[(int) starts[starts.length - 1]];
    for (int g = 0; g + 1 < starts.length; g++) {
      int from = (int) starts[g];
      int count = (int) starts[g + 1] - from;
      int[] order = values.permutation(count);
      for (int i = 0; i < count; i++) {
        scores[from + i] = (order[i] - count / 2) * STEP;
      }
    }
    return scores;
  }

  /** In [0, 1] with many ties; every fourth group has one label only, every eighth only zeros. */
  private static double[] labels(Values values, long[] starts) {
    double[] labels = values.uniform(starts[starts.length - 1], 0, 1);
    for (int g = 0; g + 1 < starts.length; g++) {
      for (int i = (int) starts[g]; i < starts[g + 1]; i++) {
        if (g % 4 == 3) {
          labels[i] = g % 8 == 7 ? 0 : 0.5;
        } else if (labels[i] < 0.5) {
          labels[i] = Math.round(labels[i] * 16) / 16.0;
        }
      }
    }
    return labels;
  }
}
