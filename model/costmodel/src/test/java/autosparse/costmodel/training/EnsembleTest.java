package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.costmodel.ModelKind;
import autosparse.layers.RankingLoss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnsembleTest {
  private static final double[] RISING = {1, 2, 3};

  @Test
  void theMeanOfTwoByHand() {
    // Standardised (-q, 0, q) and (-q, q, 0), q = √1.5; deviations 1/q and 10/q, means 2 and 20.
    double[] mean = Ensemble.mean(List.of(RISING, new double[] {10, 30, 20}));
    assertArrayEquals(new double[] {5.5, 13.75, 13.75}, mean, 1e-12);
  }

  @Test
  void whereANetworksScoresLieAndTheirUnitChangeNoRank() {
    double[] first = {0.3, -1, 2.5, 0.9, 0.1};
    double[] second = {7, 9, 11, 4, 8};
    double[] moved = {-93, -73, -53, -123, -83};
    assertArrayEquals(
        new int[] {2, 4, 0, 1, 3}, order(Ensemble.mean(List.of(first, new double[5]))), "alone");
    assertArrayEquals(
        order(Ensemble.mean(List.of(first, second))), order(Ensemble.mean(List.of(first, moved))));
  }

  /** Places by rank: the best-scored is 0. */
  private static int[] order(double[] scores) {
    int[] order = new int[scores.length];
    for (int i = 0; i < scores.length; i++) {
      for (double other : scores) {
        order[i] += other > scores[i] ? 1 : 0;
      }
    }
    return order;
  }

  @Test
  void aNetworkThatPrefersNoneAddsNothing() {
    double[] mean = Ensemble.mean(List.of(RISING, new double[] {5, 5, 5}));
    double half = RISING[1] - RISING[0];
    assertArrayEquals(new double[] {3.5 - half / 4, 3.5, 3.5 + half / 4}, mean, 1e-12);
    assertArrayEquals(
        new double[] {4}, Ensemble.mean(List.of(new double[] {3}, new double[] {5})), 1e-12);
    assertEquals(0, Ensemble.mean(List.of(new double[0], new double[0])).length);
  }

  @Test
  void aNetworkThatHasDivergedShows() {
    double[] mean = Ensemble.mean(List.of(RISING, new double[] {1, Double.NaN, 2}));
    assertArrayEquals(new double[] {Double.NaN, Double.NaN, Double.NaN}, mean);
    assertEquals(0, RankingMetrics.of(mean, RISING).pairAccuracy());
  }

  @Test
  void anEnsembleOfOneAndOfEqualsIsTheNetwork(@TempDir Path folder) throws IOException {
    TrainingData data = TinyTraining.data(folder);
    try (TinyTraining training =
        new TinyTraining(
            data, TinyTraining.model(ModelKind.AUTOSPARSE), TinyTraining.config(6, 1), 2)) {
      training.run(6);
      Evaluator evaluator = training.evaluator();
      Evaluation single = evaluator.evaluate(true);
      List<TaskScores> scores = evaluator.scores(true);
      assertEquals(single, judge(training, List.of(scores)));
      Evaluation three = judge(training, List.of(scores, scores, scores));
      assertEquals(single.tasks(), three.tasks());
      assertEquals(single.loss(), three.loss(), 1e-5 * single.loss());
    }
  }

  private static Evaluation judge(TinyTraining training, List<List<TaskScores>> networks) {
    return Evaluator.judge(
        training.device, training.data, Ensemble.meanByTask(networks), RankingLoss.LAMBDARANK, 16);
  }
}
