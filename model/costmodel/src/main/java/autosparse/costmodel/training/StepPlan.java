package autosparse.costmodel.training;

import autosparse.engine.RandomStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/**
 * What each step of an epoch trains on; a function of the seed and the epoch alone, so that a run
 * resumes in the middle of an epoch.
 *
 * <p>A group of matrices goes through the tower together; each of its steps takes a piece of the
 * training schedules of EVERY task of these matrices, so that one tower pass serves all operators.
 */
public final class StepPlan {
  /**
   * One task's share of a step.
   *
   * @param task index in the data's tasks
   */
  public record Slice(int task, int[] indices) {}

  /**
   * One step.
   *
   * @param matrices patterns that go through the tower, in batch order
   */
  public record Step(List<Integer> matrices, List<Slice> slices) {}

  private final TrainingData data;
  private final TrainingConfig config;
  private final List<List<Integer>> groups;
  private final int stepsPerEpoch;

  /** Groups the matrices that have schedules to train on. */
  public StepPlan(TrainingData data, TrainingConfig config) {
    this.data = data;
    this.config = config;
    this.groups = groups();
    this.stepsPerEpoch = groups.stream().mapToInt(this::steps).sum();
  }

  /** Matrices of like size together, so that no step is much larger than the others. */
  private List<List<Integer>> groups() {
    TreeMap<Integer, Boolean> trained = new TreeMap<>();
    for (TaskData task : data.tasks()) {
      if (task.train().length > 0) {
        trained.put(task.matrix(), true);
      }
    }
    List<Integer> bySize = new ArrayList<>(trained.keySet());
    bySize.sort(Comparator.comparingLong((Integer m) -> data.patterns().get(m).nnz()));
    List<List<Integer>> result = new ArrayList<>();
    for (int from = 0; from < bySize.size(); from += config.matricesPerStep()) {
      int to = Math.min(bySize.size(), from + config.matricesPerStep());
      result.add(List.copyOf(bySize.subList(from, to)));
    }
    return result;
  }

  private List<Integer> tasks(List<Integer> group) {
    List<Integer> tasks = new ArrayList<>();
    for (int t = 0; t < data.tasks().size(); t++) {
      TaskData task = data.tasks().get(t);
      if (task.train().length > 0 && group.contains(task.matrix())) {
        tasks.add(t);
      }
    }
    return tasks;
  }

  private int steps(List<Integer> group) {
    int most = 0;
    for (int task : tasks(group)) {
      int size = data.tasks().get(task).train().length;
      most = Math.max(most, (size + config.batch() - 1) / config.batch());
    }
    return config.batchesPerEpoch() == 0 ? most : Math.min(most, config.batchesPerEpoch());
  }

  /**
   * First schedule of a task's share of step {@code s}: whole batches where their number is
   * limited, else all schedules spread evenly over the steps.
   */
  private int first(int schedules, int s, int count) {
    if (config.batchesPerEpoch() > 0) {
      return (int) Math.min(schedules, (long) s * config.batch());
    }
    return (int) ((long) schedules * s / count);
  }

  /** Steps of one pass over the training schedules. */
  public int stepsPerEpoch() {
    return stepsPerEpoch;
  }

  /**
   * The run's first steps in the order in which they are run: whole epochs until they are enough.
   */
  public List<Step> first(int least) {
    List<Step> steps = new ArrayList<>();
    for (int epoch = 0; epoch < config.epochs() && steps.size() < least; epoch++) {
      steps.addAll(epoch(epoch));
    }
    return steps;
  }

  /** The steps of an epoch, numbered from 0, in the order in which they are run. */
  public List<Step> epoch(int epoch) {
    RandomStream random = RandomStream.named(config.seed(), "epoch " + epoch);
    List<Step> steps = new ArrayList<>();
    for (List<Integer> group : groups) {
      int count = steps(group);
      List<Integer> tasks = tasks(group);
      List<int[]> shuffled = new ArrayList<>();
      for (int task : tasks) {
        int[] order = data.tasks().get(task).train().clone();
        random.shuffle(order);
        shuffled.add(order);
      }
      for (int s = 0; s < count; s++) {
        List<Slice> slices = new ArrayList<>();
        for (int t = 0; t < tasks.size(); t++) {
          int[] order = shuffled.get(t);
          int from = first(order.length, s, count);
          int to = first(order.length, s + 1, count);
          if (to > from) {
            slices.add(new Slice(tasks.get(t), Arrays.copyOfRange(order, from, to)));
          }
        }
        steps.add(new Step(group, slices));
      }
    }
    int[] order = new int[steps.size()];
    Arrays.setAll(order, i -> i);
    random.shuffle(order);
    List<Step> mixed = new ArrayList<>(Collections.nCopies(steps.size(), null));
    for (int i = 0; i < order.length; i++) {
      mixed.set(i, steps.get(order[i]));
    }
    return mixed;
  }
}
