package autosparse.costmodel.training;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.memory.MemoryBudget;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixPattern;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * How each step of a run is run, so that it fits the device's range: planned before the first
 * kernel, never tried.
 */
public final class PlannedSteps {
  /**
   * A plan that takes less than this share of the range stands for all steps on its matrices; with
   * a larger one it must be known that no other step's schedules take more.
   */
  private static final double ROOMY = 15.0 / 16;

  private record Planned(MemoryPlan plan, long headBytes) {}

  private final StepPlanner planner;
  private final List<? extends MatrixPattern> patterns;
  private final MemoryBudget budget;
  private final Map<List<Integer>, Planned> plans = new HashMap<>();

  /**
   * @param planner of the run's model, data and kind of device
   * @param patterns of the data
   * @param budget of the device
   */
  public PlannedSteps(
      StepPlanner planner, List<? extends MatrixPattern> patterns, MemoryBudget budget) {
    this.planner = planner;
    this.patterns = List.copyOf(patterns);
    this.budget = budget;
  }

  /**
   * Plans the step of each group of matrices that takes most. Which one that is, is only looked for
   * where memory is scarce: elsewhere it is taken to be the one of most schedules.
   *
   * @param steps of the run; steps that are not among them are planned when they come
   * @throws InputException when a step does not fit however it is run, with the bytes that would do
   */
  public void planAll(List<StepPlan.Step> steps) {
    Map<List<Integer>, List<StepPlan.Step>> groups = new LinkedHashMap<>();
    for (StepPlan.Step step : steps) {
      groups.computeIfAbsent(step.matrices(), matrices -> new ArrayList<>()).add(step);
    }
    for (List<StepPlan.Step> group : groups.values()) {
      StepPlan.Step largest =
          group.stream().max(Comparator.comparingInt(PlannedSteps::schedules)).orElseThrow();
      Optional<Planned> planned = find(largest);
      if (planned.isEmpty() || planned.get().plan().capacityBytes() > ROOMY * budget.capacity()) {
        StepPlan.Step most =
            group.stream().max(Comparator.comparingLong(this::headBytes)).orElseThrow();
        planned = find(most);
        if (planned.isEmpty()) {
          throw new InputException(budget.flag() + ": " + tooLarge(most));
        }
      }
      plans.put(largest.matrices(), planned.get());
    }
  }

  /** What a step takes besides its tower, or in all where it has none. */
  private long headBytes(StepPlan.Step step) {
    return planner.hasTower() ? planner.headBytes(step) : planner.onlyPlan(step).peakBytes();
  }

  private static int schedules(StepPlan.Step step) {
    return step.slices().stream().mapToInt(slice -> slice.indices().length).sum();
  }

  /** The plan of a group of matrices, if it was planned. */
  public Optional<MemoryPlan> planOf(List<Integer> matrices) {
    return Optional.ofNullable(plans.get(matrices)).map(Planned::plan);
  }

  /**
   * Whether every planned step leaves half of the range: room for what plans do not count, captured
   * work and the next step's patterns.
   */
  public boolean areRoomy() {
    return plans.values().stream().allMatch(p -> p.plan().capacityBytes() <= budget.capacity() / 2);
  }

  /** All plans so far. */
  public List<MemoryPlan> plans() {
    return plans.values().stream().map(Planned::plan).toList();
  }

  /** Plans a step that nobody knew of before the run. */
  private Planned plan(StepPlan.Step step) {
    Planned planned = find(step).orElseThrow(() -> new OutOfBudgetException(tooLarge(step)));
    plans.put(step.matrices(), planned);
    return planned;
  }

  private Optional<Planned> find(StepPlan.Step step) {
    if (!planner.hasTower()) {
      MemoryPlan only = planner.onlyPlan(step);
      return only.capacityBytes() <= budget.capacity()
          ? Optional.of(new Planned(only, only.peakBytes()))
          : Optional.empty();
    }
    StrategySearch search = planner.search(step);
    return search.fastest(budget.capacity()).map(plan -> new Planned(plan, search.behindBytes()));
  }

  private String tooLarge(StepPlan.Step step) {
    MemoryPlan smallest =
        planner.hasTower() ? planner.search(step).smallest() : planner.onlyPlan(step);
    return "a step on "
        + step.matrices().stream().map(m -> patterns.get(m).name()).toList()
        + " takes "
        + smallest.capacityBytes()
        + " bytes at the least ("
        + smallest.strategy()
        + "), "
        + smallest.baseBytes()
        + " of them weights, gradients and optimiser; the device's range has "
        + Math.max(0, budget.range())
        + ": raise "
        + budget.flag()
        + " to "
        + budget.bytesFor(smallest.capacityBytes())
        + " or more, or lower "
        + (planner.hasTower() ? "--channels or " : "")
        + "--batch";
  }

  /**
   * The strategy of each step, with room made for it among the patterns that stay between steps. It
   * throws {@link OutOfBudgetException} for a step that was not among those planned and does not
   * fit.
   *
   * @param pyramids of the run
   */
  public Function<StepPlan.Step, TowerStrategy> among(PyramidCache pyramids) {
    return step -> {
      Planned planned = plans.get(step.matrices());
      if (planned == null || !covers(planned, step)) {
        planned = plan(step);
      }
      MemoryPlan plan = planned.plan();
      pyramids.makeRoom(step.matrices(), plan.strategy(), plan.capacityBytes() - plan.baseBytes());
      return plan.strategy();
    };
  }

  private boolean covers(Planned planned, StepPlan.Step step) {
    return planned.plan().capacityBytes() <= ROOMY * budget.capacity()
        || headBytes(step) <= planned.headBytes();
  }
}
