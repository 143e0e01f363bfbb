package autosparse.costmodel.training;

import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Problem;
import autosparse.schedule.Split;
import autosparse.schedule.Task;
import java.util.List;

/**
 * One task (matrix and operator) with its matrix and its part of the split.
 *
 * @param matrix index of the pattern in {@link TrainingData#patterns()}
 */
public record TaskData(Task task, Problem problem, int matrix, int[] train, int[] validation) {

  static TaskData of(Split.Part part, MatrixPattern pattern, int matrix) {
    return new TaskData(
        part.task(),
        part.task().problem(pattern),
        matrix,
        toArray(part.train()),
        toArray(part.validation()));
  }

  private static int[] toArray(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Latencies of some schedules, in ms. */
  public double[] latencies(int[] indices) {
    double[] latencies = new double[indices.length];
    for (int i = 0; i < indices.length; i++) {
      latencies[i] = task.latencyMs(indices[i]);
    }
    return latencies;
  }

  /** Fastest latency among some schedules, in ms; infinite for none. */
  public double best(int[] indices) {
    double best = Double.POSITIVE_INFINITY;
    for (int index : indices) {
      best = Math.min(best, task.latencyMs(index));
    }
    return best;
  }
}
