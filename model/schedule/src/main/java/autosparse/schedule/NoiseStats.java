package autosparse.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What repeated measurements say about noise, and so about the best that any model could score.
 *
 * @param repeated schedules measured more than once
 * @param medianRatio median over them of slowest / fastest measurement; NaN if there are none
 * @param tasks tasks with at least two repeated schedules, over which the ceilings are averaged
 * @param topOneCeiling top-1 of an oracle that ranks the repeated schedules by their first
 *     measurement and is judged by their second (reference "Schedules and data", section 4); NaN if
 *     there are no such tasks
 * @param topFiveCeiling the same for top-5
 */
public record NoiseStats(
    int repeated, double medianRatio, int tasks, double topOneCeiling, double topFiveCeiling) {

  /**
   * The noise in a set of tasks: ratios pooled over their schedules, ceilings averaged over them.
   */
  public static NoiseStats of(List<Task> tasks) {
    List<Double> ratios = new ArrayList<>();
    double topOne = 0;
    double topFive = 0;
    int ranked = 0;
    for (Task task : tasks) {
      List<double[]> repeated = new ArrayList<>();
      for (int s = 0; s < task.size(); s++) {
        if (task.repeats(s) > 1) {
          double[] times = task.measurementsMs(s);
          repeated.add(new double[] {times[0], times[1]});
          ratios.add(ratio(times));
        }
      }
      if (repeated.size() > 1) {
        repeated.sort(Comparator.comparingDouble(pair -> pair[0]));
        topOne += topK(repeated, 1);
        topFive += topK(repeated, 5);
        ranked++;
      }
    }
    return new NoiseStats(
        ratios.size(),
        Statistics.median(ratios.stream().mapToDouble(Double::doubleValue).toArray()),
        ranked,
        topOne / ranked,
        topFive / ranked);
  }

  private static double ratio(double[] times) {
    double fastest = Double.POSITIVE_INFINITY;
    double slowest = 0;
    for (double time : times) {
      fastest = Math.min(fastest, time);
      slowest = Math.max(slowest, time);
    }
    return slowest / fastest;
  }

  private static double topK(List<double[]> rankedByFirst, int k) {
    double best = Double.POSITIVE_INFINITY;
    double bestOfTop = Double.POSITIVE_INFINITY;
    for (int s = 0; s < rankedByFirst.size(); s++) {
      double judged = rankedByFirst.get(s)[1];
      best = Math.min(best, judged);
      if (s < k) {
        bestOfTop = Math.min(bestOfTop, judged);
      }
    }
    return best / bestOfTop;
  }
}
