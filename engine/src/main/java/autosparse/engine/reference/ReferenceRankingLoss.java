package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.engine.operators.Segments;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Pair by pair, as the formulas are written. */
final class ReferenceRankingLoss extends RankingLossOperators {
  @Override
  protected void applyMargin(
      Tensor scores, Tensor labels, Tensor offsets, double margin, Tensor losses, Tensor dScores) {
    double[] s = scores.toDoubles();
    double[] y = labels.toDoubles();
    double[] ds = new double[s.length];
    double[] loss = new double[(int) losses.elements()];
    long[] starts = Segments.read("margin", offsets, scores.dim(0));
    for (int g = 0; g < loss.length; g++) {
      int from = (int) starts[g];
      int to = (int) starts[g + 1];
      long pairs = 0;
      for (int i = from; i < to; i++) {
        for (int j = from; j < to; j++) {
          pairs += y[i] > y[j] ? 1 : 0;
        }
      }
      for (int i = from; i < to; i++) {
        for (int j = from; j < to; j++) {
          double violation = margin - (s[i] - s[j]);
          if (y[i] > y[j] && violation > 0) {
            loss[g] += violation / pairs;
            ds[i] -= 1.0 / pairs;
            ds[j] += 1.0 / pairs;
          }
        }
      }
    }
    losses.setDoubles(loss);
    dScores.setDoubles(ds);
  }

  @Override
  protected void applyLambdaRank(
      Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores) {
    double[] s = scores.toDoubles();
    double[] y = labels.toDoubles();
    double[] ds = new double[s.length];
    double[] loss = new double[(int) losses.elements()];
    long[] starts = Segments.read("lambdaRank", offsets, scores.dim(0));
    for (int g = 0; g < loss.length; g++) {
      int from = (int) starts[g];
      int to = (int) starts[g + 1];
      double maxDcg = 0;
      int[] byLabel = descending(y, from, to);
      for (int r = 0; r < byLabel.length; r++) {
        maxDcg += gain(y[byLabel[r]]) / discount(r);
      }
      if (maxDcg == 0) {
        continue;
      }
      double[] discounts = new double[to - from];
      int[] byScore = descending(s, from, to);
      for (int r = 0; r < byScore.length; r++) {
        discounts[byScore[r] - from] = discount(r);
      }
      for (int i = from; i < to; i++) {
        for (int j = from; j < to; j++) {
          if (y[i] > y[j]) {
            double weight =
                Math.abs(1 / discounts[i - from] - 1 / discounts[j - from])
                    * Math.abs(gain(y[i]) - gain(y[j]))
                    / maxDcg;
            double difference = s[i] - s[j];
            double log = // of 1 + e^-difference, without overflow
                Math.max(-difference, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(difference)));
            loss[g] += weight * log / StrictMath.log(2);
            double slope = weight / (1 + StrictMath.exp(difference)) / StrictMath.log(2);
            ds[i] -= slope;
            ds[j] += slope;
          }
        }
      }
    }
    losses.setDoubles(loss);
    dScores.setDoubles(ds);
  }

  private static double gain(double label) {
    return StrictMath.pow(2, label) - 1;
  }

  /** log2(1 + rank) of the entry at a position counted from 0, whose rank is one more. */
  private static double discount(int position) {
    return StrictMath.log(2.0 + position) / StrictMath.log(2);
  }

  /** Indices from (inclusive) to (exclusive) by descending value, ties by ascending index. */
  private static int[] descending(double[] values, int from, int to) {
    return IntStream.range(from, to)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -values[i]))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
