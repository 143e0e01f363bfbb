package autosparse.costmodel.training;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The mean of several networks' scores.
 *
 * <p>Ranking losses see differences of scores only, so that a network's scores of one task mean
 * something relative to each other alone: where they lie is arbitrary, and how far they spread is
 * the loss's and the training's doing. Each network's scores of a task are therefore standardised
 * (mean 0, deviation 1) before they are averaged, which gives each network the same say. The result
 * is moved back to the networks' average mean and deviation: no rank depends on these, and losses
 * of it can be read beside those of its networks.
 */
public final class Ensemble {
  private Ensemble() {}

  /**
   * Scores of schedules of one task, of which at least one is given for each network. A network
   * that scores all of them alike prefers none and adds nothing; a score that is NaN makes all of
   * them NaN, which rank last. Of one network, its scores.
   *
   * @param networks scores of the same schedules by each network, [N] each
   * @return [N]
   */
  public static double[] mean(List<double[]> networks) {
    if (networks.size() == 1) {
      return networks.get(0).clone();
    }
    double[] sum = new double[networks.get(0).length];
    double means = 0;
    double deviations = 0;
    for (double[] scores : networks) {
      double mean = 0;
      for (double score : scores) {
        mean += score / scores.length;
      }
      double variance = 0;
      for (double score : scores) {
        variance += (score - mean) * (score - mean) / scores.length;
      }
      double deviation = Math.sqrt(variance);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += deviation == 0 ? 0 : (scores[i] - mean) / deviation;
      }
      means += mean;
      deviations += deviation;
    }
    int count = networks.size();
    for (int i = 0; i < sum.length; i++) {
      sum[i] = means / count + deviations / count * (sum[i] / count);
    }
    return sum;
  }

  /**
   * The same for every task, own and blind.
   *
   * @param networks scores of the same tasks by each network, see {@link Evaluator#scores(boolean)}
   */
  public static List<TaskScores> meanByTask(List<List<TaskScores>> networks) {
    List<TaskScores> means = new ArrayList<>();
    for (int t = 0; t < networks.get(0).size(); t++) {
      int task = t;
      List<TaskScores> scores = networks.stream().map(network -> network.get(task)).toList();
      boolean blind = scores.get(0).blind() != null;
      means.add(
          new TaskScores(
              mean(scores, TaskScores::own), blind ? mean(scores, TaskScores::blind) : null));
    }
    return means;
  }

  private static double[] mean(List<TaskScores> scores, Function<TaskScores, double[]> which) {
    return mean(scores.stream().map(which).toList());
  }
}
