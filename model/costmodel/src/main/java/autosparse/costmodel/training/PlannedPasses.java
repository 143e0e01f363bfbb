package autosparse.costmodel.training;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.PatternRows;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.engine.memory.MemoryBudget;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixPattern;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

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
   * Checks that schedules of a task can be scored, one at a time if need be.
   *
   * @throws InputException when they cannot, with the budget that would do
   */
  public void planScores(String name, EncodedTask task, int[] indices) {
    if (indices.length > 0) {
      int[] one = {indices[0]};
      long bytes = planner.scoresBytes(anyFeatures, task, one);
      if (bytes > room()) {
        throw refused("the score of a schedule of " + name + " takes", bytes, "", "");
      }
      most = Math.max(most, bytes);
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
    int schedules = Math.min(MOST_SCHEDULES, indices.length - from);
    while (true) {
      int[] part = Arrays.copyOfRange(indices, from, from + schedules);
      long bytes = planner.scoresBytes(features, task, part);
      if (bytes <= room()) {
        return new Batch(schedules, bytes);
      }
      if (schedules == 1) {
        throw new OutOfBudgetException(tooLarge("the score of a schedule takes", bytes, "", ""));
      }
      schedules = (schedules + 1) / 2;
    }
  }

  /** Whether every planned pass leaves half of the range. */
  public boolean areRoomy() {
    return base + most <= budget.range() / 2;
  }
}
