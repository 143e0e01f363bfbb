package autosparse.costmodel.training;

import java.util.Arrays;

/**
 * How well scores rank latencies (reference "Networks", section 4).
 *
 * @param topOne fastest latency over that of the best-scored schedule, in [0, 1]
 * @param topFive fastest latency over the fastest of the five best-scored
 * @param pairAccuracy share of pairs with different latencies that are scored in the right order
 * @param bestMs fastest latency
 * @param bestOfOneMs latency of the best-scored
 * @param bestOfFiveMs fastest latency of the five best-scored
 */
public record RankingMetrics(
    double topOne,
    double topFive,
    double pairAccuracy,
    double bestMs,
    double bestOfOneMs,
    double bestOfFiveMs) {

  /**
   * Metrics of scores (larger = faster); equal scores keep the order of the schedules, NaN ranks
   * last: a network that has diverged must not look good.
   */
  public static RankingMetrics of(double[] scores, double[] latencies) {
    int count = scores.length;
    Integer[] order = new Integer[count];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(sortKey(scores[b]), sortKey(scores[a])));
    double best = Double.POSITIVE_INFINITY;
    double bestOfFive = Double.POSITIVE_INFINITY;
    for (int r = 0; r < count; r++) {
      best = Math.min(best, latencies[order[r]]);
      if (r < 5) {
        bestOfFive = Math.min(bestOfFive, latencies[order[r]]);
      }
    }
    double bestOfOne = count == 0 ? Double.NaN : latencies[order[0]];
    return new RankingMetrics(
        best / bestOfOne,
        best / bestOfFive,
        pairAccuracy(scores, latencies),
        best,
        bestOfOne,
        bestOfFive);
  }

  /** Also makes −0 and 0 equal. */
  private static double sortKey(double score) {
    return Double.isNaN(score) ? Double.NEGATIVE_INFINITY : score + 0.0;
  }

  /** Pairs in the right order over pairs with different latencies; a tied score is wrong. */
  static double pairAccuracy(double[] scores, double[] latencies) {
    long right = 0;
    long pairs = 0;
    for (int i = 0; i < scores.length; i++) {
      for (int j = 0; j < i; j++) {
        if (latencies[i] != latencies[j]) {
          pairs++;
          if (latencies[i] < latencies[j] ? scores[i] > scores[j] : scores[j] > scores[i]) {
            right++;
          }
        }
      }
    }
    return (double) right / pairs;
  }

  /**
   * What a uniformly random pick is expected to score: E[best / fastest of k picks], pair accuracy
   * one half.
   */
  public static RankingMetrics randomPick(double[] latencies) {
    double[] sorted = latencies.clone();
    Arrays.sort(sorted);
    double one = expectedTop(sorted, 1);
    double five = expectedTop(sorted, Math.min(5, sorted.length));
    double best = sorted.length == 0 ? Double.NaN : sorted[0];
    return new RankingMetrics(
        one, five, 0.5, best, expectedFastest(sorted, 1), expectedFastest(sorted, 5));
  }

  private static double expectedTop(double[] sorted, int k) {
    double expected = 0;
    double[] probability = fastestProbability(sorted.length, k);
    for (int r = 0; r < sorted.length; r++) {
      expected += probability[r] * sorted[0] / sorted[r];
    }
    return sorted.length == 0 ? Double.NaN : expected;
  }

  private static double expectedFastest(double[] sorted, int k) {
    double expected = 0;
    double[] probability = fastestProbability(sorted.length, Math.min(k, sorted.length));
    for (int r = 0; r < sorted.length; r++) {
      expected += probability[r] * sorted[r];
    }
    return sorted.length == 0 ? Double.NaN : expected;
  }

  /** Probability that the fastest of k distinct picks of n has rank r: C(n−1−r, k−1)/C(n, k). */
  private static double[] fastestProbability(int n, int k) {
    double[] probability = new double[n];
    double none = 1; // probability that no pick is among the first r
    for (int r = 0; r < n; r++) {
      double left = Math.max(0, (double) (n - r - k) / (n - r));
      probability[r] = none * (1 - left);
      none *= left;
    }
    return probability;
  }
}
