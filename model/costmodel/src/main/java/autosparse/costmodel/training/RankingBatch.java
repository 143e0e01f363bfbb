package autosparse.costmodel.training;

import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import java.util.ArrayList;
import java.util.List;

/**
 * The schedules of a step and what a ranking loss compares their scores with, on the host.
 *
 * @param labels relative speed of each schedule, 1 = the task's best, [N]
 * @param groups first schedule of each task, then N, [G+1]
 */
public record RankingBatch(List<Selection> selections, double[] labels, long[] groups) {

  /**
   * @param encoded every task of the data
   * @param best fastest training latency of every task, in ms
   */
  public static RankingBatch of(
      StepPlan.Step step, TrainingData data, List<EncodedTask> encoded, double[] best) {
    List<Selection> selections = new ArrayList<>();
    long[] groups = new long[step.slices().size() + 1];
    for (int s = 0; s < step.slices().size(); s++) {
      StepPlan.Slice slice = step.slices().get(s);
      int matrix = step.matrices().indexOf(data.tasks().get(slice.task()).matrix());
      selections.add(new Selection(encoded.get(slice.task()), matrix, slice.indices()));
      groups[s + 1] = groups[s] + slice.indices().length;
    }
    double[] labels = new double[Math.toIntExact(groups[groups.length - 1])];
    int n = 0;
    for (StepPlan.Slice slice : step.slices()) {
      TaskData task = data.tasks().get(slice.task());
      for (int index : slice.indices()) {
        labels[n++] = best[slice.task()] / task.task().latencyMs(index);
      }
    }
    return new RankingBatch(selections, labels, groups);
  }

  /** Number of schedules. */
  public int size() {
    return labels.length;
  }

  /** Number of tasks. */
  public int tasks() {
    return groups.length - 1;
  }
}
