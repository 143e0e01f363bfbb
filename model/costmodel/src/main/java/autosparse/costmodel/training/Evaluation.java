package autosparse.costmodel.training;

import autosparse.schedule.NoiseStats;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * A model judged on some schedules of every task, beside what needs no model.
 *
 * @param loss mean over tasks of the ranking loss of batches of schedules
 * @param noise repeat noise of the tasks, the ceiling of any model
 */
public record Evaluation(List<TaskEvaluation> tasks, double loss, NoiseStats noise) {
  /**
   * One task's row.
   *
   * @param blind the same network with another matrix's pattern; null when there is no other
   */
  public record TaskEvaluation(
      String op,
      String matrix,
      int schedules,
      RankingMetrics model,
      RankingMetrics blind,
      RankingMetrics random) {}

  public Evaluation {
    tasks = List.copyOf(tasks);
  }

  /**
   * Mean of a metric over the tasks.
   *
   * @param who such as {@link TaskEvaluation#model}; tasks without it are left out
   */
  public double mean(
      Function<TaskEvaluation, RankingMetrics> who, ToDoubleFunction<RankingMetrics> metric) {
    return tasks.stream()
        .map(who)
        .filter(metrics -> metrics != null)
        .mapToDouble(metric)
        .filter(value -> !Double.isNaN(value))
        .average()
        .orElse(Double.NaN);
  }

  /** TenSet's and TLP's form: Σ fastest / Σ fastest of the top k, over tasks. */
  public double latencySum(
      Function<TaskEvaluation, RankingMetrics> who, ToDoubleFunction<RankingMetrics> bestOfTop) {
    double best = 0;
    double chosen = 0;
    for (TaskEvaluation task : tasks) {
      RankingMetrics metrics = who.apply(task);
      if (metrics != null && !Double.isNaN(metrics.bestOfOneMs())) {
        best += metrics.bestMs();
        chosen += bestOfTop.applyAsDouble(metrics);
      }
    }
    return best / chosen;
  }
}
