package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.training.Evaluation.TaskEvaluation;
import autosparse.schedule.NoiseStats;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RankingMetricsTest {
  /** Few distinct values, so that ties are common. */
  private static double[] latencies(int count, SplittableRandom random) {
    return random.ints(count, 1, 6).mapToDouble(i -> i * 0.5).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 5, 6, 9})
  void randomPickIsTheMeanOverAllSubsets(int count) {
    double[] latencies = latencies(count, new SplittableRandom(count));
    double best = Arrays.stream(latencies).min().getAsDouble();
    RankingMetrics pick = RankingMetrics.randomPick(latencies);
    assertEquals(best, pick.bestMs());
    for (int k : new int[] {1, 5}) {
      int size = Math.min(k, count);
      double top = 0;
      double fastest = 0;
      int subsets = 0;
      for (int subset = 0; subset < 1 << count; subset++) {
        if (Integer.bitCount(subset) == size) {
          double minimum = Double.POSITIVE_INFINITY;
          for (int i = 0; i < count; i++) {
            if ((subset >> i & 1) == 1) {
              minimum = Math.min(minimum, latencies[i]);
            }
          }
          top += best / minimum;
          fastest += minimum;
          subsets++;
        }
      }
      assertEquals(top / subsets, k == 1 ? pick.topOne() : pick.topFive(), 1e-12);
      assertEquals(fastest / subsets, k == 1 ? pick.bestOfOneMs() : pick.bestOfFiveMs(), 1e-12);
    }
    assertEquals(0.5, pick.pairAccuracy());
  }

  @Test
  void metricsAgreeWithTheirDefinition() {
    SplittableRandom random = new SplittableRandom(7);
    for (int trial = 0; trial < 50; trial++) {
      int count = 2 + random.nextInt(20);
      double[] latencies = latencies(count, random);
      double[] scores = random.ints(count, 0, 8).asDoubleStream().toArray();
      RankingMetrics metrics = RankingMetrics.of(scores, latencies);
      double best = Arrays.stream(latencies).min().getAsDouble();
      boolean[] taken = new boolean[count];
      double chosen = Double.POSITIVE_INFINITY;
      for (int k = 1; k <= Math.min(5, count); k++) {
        int next = -1;
        for (int i = 0; i < count; i++) {
          // Equal scores in the order of the schedules.
          if (!taken[i] && (next < 0 || scores[i] > scores[next])) {
            next = i;
          }
        }
        taken[next] = true;
        chosen = Math.min(chosen, latencies[next]);
        if (k == 1) {
          assertEquals(best / chosen, metrics.topOne());
          assertEquals(chosen, metrics.bestOfOneMs());
        }
      }
      assertEquals(best / chosen, metrics.topFive());
      assertEquals(chosen, metrics.bestOfFiveMs());
      assertEquals(best, metrics.bestMs());
      int right = 0;
      int pairs = 0;
      for (int fast = 0; fast < count; fast++) {
        for (int slow = 0; slow < count; slow++) {
          if (latencies[fast] < latencies[slow]) {
            pairs++;
            right += scores[fast] > scores[slow] ? 1 : 0;
          }
        }
      }
      assertEquals((double) right / pairs, metrics.pairAccuracy());
    }
  }

  @Test
  void aPerfectARuinousAndAnUndecidedRanking() {
    double[] latencies = {1, 2, 4, 8, 16, 32};
    RankingMetrics perfect = RankingMetrics.of(new double[] {6, 5, 4, 3, 2, 1}, latencies);
    assertEquals(1, perfect.topOne());
    assertEquals(1, perfect.pairAccuracy());
    RankingMetrics ruinous = RankingMetrics.of(new double[] {1, 2, 3, 4, 5, 6}, latencies);
    assertEquals(1 / 32.0, ruinous.topOne());
    assertEquals(0.5, ruinous.topFive());
    assertEquals(0, ruinous.pairAccuracy());
    RankingMetrics undecided = RankingMetrics.of(new double[6], latencies);
    assertEquals(0, undecided.pairAccuracy(), "a tied score is wrong");
  }

  @Test
  void scoresThatAreNoNumbersAreNeverRight() {
    double[] latencies = {4, 1, 2};
    RankingMetrics broken =
        RankingMetrics.of(new double[] {Double.NaN, Double.NaN, Double.NaN}, latencies);
    assertEquals(0, broken.pairAccuracy());
    RankingMetrics mixed = RankingMetrics.of(new double[] {Double.NaN, 2, 1}, latencies);
    assertEquals(1, mixed.topOne(), "ranks last");
    assertEquals(1 / 3.0, mixed.pairAccuracy());
  }

  private static RankingMetrics metrics(double best, double one, double five) {
    return new RankingMetrics(best / one, best / five, 0.75, best, one, five);
  }

  @Test
  void evaluationGivesMeansAndLatencySums() {
    RankingMetrics single = RankingMetrics.of(new double[] {1}, new double[] {3});
    assertTrue(Double.isNaN(single.pairAccuracy()), "one schedule makes no pair");
    Evaluation evaluation =
        new Evaluation(
            List.of(
                new TaskEvaluation(
                    "spmm", "a", 9, metrics(1, 2, 1), metrics(1, 4, 2), metrics(1, 8, 4)),
                new TaskEvaluation("spmm", "b", 9, metrics(10, 40, 20), null, metrics(10, 80, 40)),
                new TaskEvaluation("spmv", "a", 1, single, null, single)),
            0.5,
            NoiseStats.of(List.of()));
    assertEquals((0.5 + 0.25 + 1) / 3, evaluation.mean(TaskEvaluation::model, m -> m.topOne()));
    assertEquals(0.75, evaluation.mean(TaskEvaluation::model, m -> m.pairAccuracy()), "no NaN");
    assertEquals(0.25, evaluation.mean(TaskEvaluation::blind, m -> m.topOne()));
    assertEquals(
        14.0 / (2 + 40 + 3), evaluation.latencySum(TaskEvaluation::model, m -> m.bestOfOneMs()));
    assertEquals(
        14.0 / (1 + 20 + 3), evaluation.latencySum(TaskEvaluation::model, m -> m.bestOfFiveMs()));
    assertEquals(1 / 4.0, evaluation.latencySum(TaskEvaluation::blind, m -> m.bestOfOneMs()));
    assertNull(evaluation.tasks().get(1).blind());
  }
}
