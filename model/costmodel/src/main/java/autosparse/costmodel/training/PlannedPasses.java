package autosparse.costmodel.training;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.PatternRows;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.engine.memory.MemoryBudget;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixPattern;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How passes without gradients are run so that they fit what a device has left: the tower by a
 * strategy, schedules in batches. Planned before the first kernel, never tried.
 */
public final class PlannedPasses {
  /** Schedules that are scored together where memory is plenty. */
  static final int MOST_SCHEDULES = 2048;

  private final ForwardPlanner planner;
  private final MemoryBudget budget;
  private final long base;
  private final ForwardPasses.Features anyFeatures;
  private final Map<Integer, MemoryPlan> towers = new HashMap<>();
  private long most;

  /**
   * @param budget of the device
   * @param base bytes of all tensors that are there between passes
   */
  public PlannedPasses(ForwardPlanner planner, MemoryBudget budget, long base) {
    this.planner = planner;
    this.budget = budget;
    this.base = base;
    this.anyFeatures = planner.anyFeatures();
  }

  /** Bytes that a pass may take. */
  private long room() {
    return budget.capacity() - base;
  }

  /**
   * Plans the tower's pass over one matrix.
   *
   * @param matrix its number
   * @throws InputException when it does not fit however it is run, with the budget that would do
   */
  public void planTower(int matrix, MatrixPattern of) {
    if (planner.model().tower().isEmpty() || towers.containsKey(matrix)) {
      return;
    }
    StrategySearch search = planner.search(new PatternRows(of));
    MemoryPlan plan =
        search
            .fastest(Math.max(0, room() + planner.baseBytes()))
            .orElseThrow(
                () -> {
                  MemoryPlan smallest = search.smallest();
                  return refused(
                      "the features of " + of.name() + " take",
                      bytes(smallest),
                      " (" + smallest.strategy() + ")",
                      ", or take a network of fewer channels");
                });
    towers.put(matrix, plan);
    most = Math.max(most, bytes(plan));
  }

  /**
   * Plans the batches in which schedules of a task will be scored.
   *
   * @param name of the task, for messages
   * @throws InputException when one does not fit even alone, with the budget that would do for each
   */
  public void planScores(String name, EncodedTask task, int[] indices) {
    int from = 0;
    while (from < indices.length) {
      Optional<Batch> batch = largest(anyFeatures, task, indices, from);
      if (batch.isEmpty()) {
        long alone =
            IntStream.range(from, indices.length)
                .mapToLong(i -> scoresBytes(anyFeatures, task, indices, i, 1))
                .max()
                .orElseThrow();
        throw refused("the score of a schedule of " + name + " takes", alone, "", "");
      }
      most = Math.max(most, batch.get().bytes());
      from += batch.get().schedules();
    }
  }

  /**
   * Checks that the loss of so many schedules fits.
   *
   * @throws InputException when it does not, with the budget that would do
   */
  public void planLoss(RankingLoss loss, int schedules) {
    long bytes = planner.lossBytes(loss, schedules);
    if (bytes > room()) {
      throw refused("a loss of " + schedules + " schedules takes", bytes, "", "");
    }
    most = Math.max(most, bytes);
  }

  private InputException refused(String whatTakes, long bytes, String way, String otherwise) {
    return new InputException(budget.flag() + ": " + tooLarge(whatTakes, bytes, way, otherwise));
  }

  private String tooLarge(String whatTakes, long bytes, String way, String otherwise) {
    return whatTakes
        + " "
        + bytes
        + " bytes at the least"
        + way
        + " beside "
        + base
        + " of weights, the device's range for tensors has "
        + Math.max(0, budget.range())
        + ": raise "
        + budget.flag()
        + " to "
        + budget.bytesFor(base + bytes)
        + " or more"
        + otherwise;
  }

  /** How the tower runs over a planned matrix. */
  MemoryPlan tower(int matrix) {
    MemoryPlan plan = towers.get(matrix);
    if (plan == null) {
      throw new IllegalStateException("matrix " + matrix + " was not planned");
    }
    return plan;
  }

  /** Bytes that a tower's pass takes besides what is there between passes. */
  static long bytes(MemoryPlan plan) {
    return plan.capacityBytes() - plan.baseBytes();
  }

  /**
   * Schedules to score together next.
   *
   * @param schedules their number
   * @param bytes that this takes
   */
  record Batch(int schedules, long bytes) {}

  /**
   * The largest batch, halved until it fits, of the schedules from a place on.
   *
   * @throws OutOfBudgetException when not even one fits
   */
  Batch batch(ForwardPasses.Features features, EncodedTask task, int[] indices, int from) {
    return largest(features, task, indices, from)
        .orElseThrow(
            () ->
                new OutOfBudgetException(
                    tooLarge(
                        "the score of a schedule takes",
                        scoresBytes(features, task, indices, from, 1),
                        "",
                        "")));
  }

  private Optional<Batch> largest(
      ForwardPasses.Features features, EncodedTask task, int[] indices, int from) {
    int schedules = Math.min(MOST_SCHEDULES, indices.length - from);
    while (true) {
      long bytes = scoresBytes(features, task, indices, from, schedules);
      if (bytes <= room()) {
        return Optional.of(new Batch(schedules, bytes));
      }
      if (schedules == 1) {
        return Optional.empty();
      }
      schedules = (schedules + 1) / 2;
    }
  }

  private long scoresBytes(
      ForwardPasses.Features features, EncodedTask task, int[] indices, int from, int schedules) {
    return planner.scoresBytes(features, task, Arrays.copyOfRange(indices, from, from + schedules));
  }

  /** The planned model: encodes tasks as they will be scored. */
  CostModel model() {
    return planner.model();
  }

  /**
   * Bytes of a range in which all planned passes run as planned: what they take at the most, what
   * is there between them included. In a larger one patterns are kept besides.
   */
  public long capacityBytes() {
    return base + most;
  }

  /** Whether every planned pass leaves half of the range. */
  public boolean areRoomy() {
    return capacityBytes() <= budget.range() / 2;
  }
}
