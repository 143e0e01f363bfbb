package autosparse.costmodel.training;

import autosparse.costmodel.ModelStatistics;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.PatternMemory;
import autosparse.schedule.Schedule;
import autosparse.schedule.Split;
import autosparse.schedule.Task;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A split data set with its matrices.
 *
 * @param patterns each matrix once, in the order of the tasks; in memory or on disk, closed with
 *     this
 */
public record TrainingData(
    List<TaskData> tasks, List<? extends MatrixPattern> patterns, Split split)
    implements ModelStatistics.Source, AutoCloseable {
  public TrainingData {
    tasks = List.copyOf(tasks);
    patterns = List.copyOf(patterns);
  }

  /** Reads the matrices of a split, all into memory. */
  public static TrainingData load(Split split, MatrixFolder matrices) {
    return load(split, matrices, new PatternMemory(Long.MAX_VALUE));
  }

  /**
   * Reads the matrices of a split.
   *
   * @param memory what patterns may take of the heap; those that do not fit stay on disk
   * @throws autosparse.schedule.InputException when a matrix is missing or broken, or does not fit
   *     and cannot stay on disk
   */
  public static TrainingData load(Split split, MatrixFolder matrices, PatternMemory memory) {
    List<MatrixPattern> patterns = new ArrayList<>();
    try {
      return load(split, matrices, memory, patterns);
    } catch (RuntimeException e) {
      patterns.forEach(MatrixPattern::close);
      throw e;
    }
  }

  private static TrainingData load(
      Split split, MatrixFolder matrices, PatternMemory memory, List<MatrixPattern> patterns) {
    Map<String, Integer> indices = new LinkedHashMap<>();
    List<TaskData> tasks = new ArrayList<>();
    for (Split.Part part : split.parts()) {
      Task task = part.task();
      Integer index = indices.get(task.matrix());
      if (index == null) {
        index = patterns.size();
        indices.put(task.matrix(), index);
        patterns.add(memory.open(matrices.require(task.matrix(), task.recordFile())));
      }
      tasks.add(TaskData.of(part, patterns.get(index), index));
    }
    return new TrainingData(tasks, patterns, split);
  }

  /** Names of the matrices that have training schedules. */
  public List<String> trainingMatrices() {
    return tasks.stream()
        .filter(task -> task.train().length > 0)
        .map(task -> task.task().matrix())
        .distinct()
        .toList();
  }

  @Override
  public void forEach(ModelStatistics.TaskConsumer consumer) {
    for (TaskData task : tasks) {
      if (task.train().length > 0) {
        List<Schedule> schedules = new ArrayList<>(task.train().length);
        for (int index : task.train()) {
          schedules.add(task.task().schedule(index));
        }
        consumer.accept(patterns.get(task.matrix()), task.problem(), schedules);
      }
    }
  }

  @Override
  public void close() {
    patterns.forEach(MatrixPattern::close);
  }

  /** Statistics of the training part, for a model without bins. */
  public ModelStatistics statistics() {
    return statistics(0);
  }

  /**
   * Statistics of the training part.
   *
   * @param bins most bins of a feature
   */
  public ModelStatistics statistics(int bins) {
    return ModelStatistics.fit(this, trainingMatrices(), bins);
  }
}
