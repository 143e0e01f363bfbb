package autosparse.costmodel.training;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.Device;
import autosparse.schedule.InputException;
import autosparse.schedule.SparsityPattern;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * How each step of a run is run, so that it fits the device's range: planned before the first
 * kernel, never tried. Makes room for each step among the patterns that stay between steps.
 */
public final class PlannedSteps implements Function<StepPlan.Step, TowerStrategy> {
  /**
   * A plan for the matrices of a step that takes less than this share of the range stands for all
   * steps on them, whose schedules differ a little; with a larger one each step is planned itself.
   */
  private static final double SHARE_FOR_ALL = 15.0 / 16;

  private final StepPlanner planner;
  private final PyramidCache pyramids;
  private final List<SparsityPattern> patterns;
  private final long capacity;
  private final Map<List<Integer>, MemoryPlan> plans = new HashMap<>();

  /**
   * @param planner of the same model, data and kind of device
   * @param pyramids of the run
   * @param device that the steps run on
   */
  public PlannedSteps(
      StepPlanner planner, PyramidCache pyramids, List<SparsityPattern> patterns, Device device) {
    this.planner = planner;
    this.pyramids = pyramids;
    this.patterns = List.copyOf(patterns);
    this.capacity = device.allocator().capacity();
  }

  /**
   * Plans the largest step of each group of matrices.
   *
   * @throws InputException when a step does not fit however it is run, with the bytes that would do
   */
  public void planAll(List<StepPlan.Step> steps) {
    Map<List<Integer>, StepPlan.Step> largest = new HashMap<>();
    for (StepPlan.Step step : steps) {
      largest.merge(step.matrices(), step, (a, b) -> schedules(b) > schedules(a) ? b : a);
    }
    largest.values().forEach(this::plan);
  }

  private static int schedules(StepPlan.Step step) {
    return step.slices().stream().mapToInt(slice -> slice.indices().length).sum();
  }

  /** The plan of a group of matrices, if it was planned. */
  public Optional<MemoryPlan> planOf(List<Integer> matrices) {
    return Optional.ofNullable(plans.get(matrices));
  }

  private MemoryPlan plan(StepPlan.Step step) {
    StrategySearch search = planner.search(step);
    MemoryPlan plan = search.fastest(capacity).orElseThrow(() -> tooLarge(step, search.smallest()));
    plans.put(step.matrices(), plan);
    return plan;
  }

  private InputException tooLarge(StepPlan.Step step, MemoryPlan smallest) {
    return new InputException(
        "--memory-budget: a step on "
            + step.matrices().stream().map(m -> patterns.get(m).name()).toList()
            + " takes "
            + smallest.capacityBytes()
            + " bytes at the least ("
            + smallest.strategy()
            + "), the device's range has "
            + capacity
            + ": raise --memory-budget to "
            + smallest.capacityBytes()
            + " or more, or lower --channels or --batch");
  }

  @Override
  public TowerStrategy apply(StepPlan.Step step) {
    MemoryPlan plan = plans.get(step.matrices());
    if (plan == null || plan.capacityBytes() > SHARE_FOR_ALL * capacity) {
      plan = plan(step);
    }
    pyramids.makeRoom(step.matrices(), plan.capacityBytes() - plan.baseBytes());
    return plan.strategy();
  }
}
