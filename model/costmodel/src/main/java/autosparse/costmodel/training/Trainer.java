package autosparse.costmodel.training;

import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.Adam;
import autosparse.layers.StateDict;
import autosparse.schedule.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Fits a cost model, one optimiser step a call. The state that a run needs to go on bit for bit is
 * {@link #stateDict()} and {@link #step()}.
 */
public final class Trainer implements AutoCloseable {
  /**
   * What a step did.
   *
   * @param step number of the step, from 1
   * @param loss mean over the step's tasks of the ranking loss
   * @param gradientNorm before clipping
   * @param rate learning rate that was used
   * @param schedules schedules that were ranked
   */
  public record StepResult(
      long step, double loss, double gradientNorm, double rate, int schedules) {}

  private final Device device;
  private final CostModel model;
  private final TrainingData data;
  private final TrainingConfig config;
  private final PyramidCache pyramids;
  private final StepPlan plan;
  private final Adam optimizer;
  private final List<EncodedTask> encoded = new ArrayList<>();
  private final double[] best;
  private long step;
  private int plannedEpoch = -1;
  private List<StepPlan.Step> planned = List.of();
  private Function<StepPlan.Step, TowerStrategy> strategies = work -> TowerStrategy.KEEP_ALL;

  /**
   * @param pyramids over the data's patterns; not owned
   */
  public Trainer(
      CostModel model,
      TrainingData data,
      List<EncodedTask> encoded,
      TrainingConfig config,
      PyramidCache pyramids,
      TensorScope scope) {
    this.device = scope.device();
    this.model = model;
    this.data = data;
    this.config = config;
    this.pyramids = pyramids;
    this.plan = new StepPlan(data, config);
    if (plan.stepsPerEpoch() == 0) {
      throw new InputException("no schedule to train on: the split leaves the training part empty");
    }
    this.optimizer =
        new Adam(
            scope,
            model.parameters(),
            Adam.Settings.of(
                config.rate(), config.weightDecay(), config.decoupledDecay(), config.clip()));
    this.encoded.addAll(encoded);
    this.best = data.tasks().stream().mapToDouble(task -> task.best(task.train())).toArray();
  }

  public int stepsPerEpoch() {
    return plan.stepsPerEpoch();
  }

  public long totalSteps() {
    return (long) config.epochs() * plan.stepsPerEpoch();
  }

  /** Steps done so far. */
  public long step() {
    return step;
  }

  /** Epochs completed so far. */
  public int epoch() {
    return (int) (step / plan.stepsPerEpoch());
  }

  public boolean isDone() {
    return step >= totalSteps();
  }

  /** Whether the last step ended an epoch. */
  public boolean atEpochEnd() {
    return step > 0 && step % plan.stepsPerEpoch() == 0;
  }

  /** Weights, and the optimiser's moments behind the prefix {@code optimizer.}. */
  public StateDict stateDict() {
    return model.parameters().stateDict().with("optimizer.", optimizer.stateDict());
  }

  /** Continues after {@code steps} steps; the caller has loaded {@link #stateDict()}. */
  public void resumeAt(long steps) {
    if (steps < 0 || steps > totalSteps()) {
      throw new InputException("step " + steps + " to resume at, expected 0 to " + totalSteps());
    }
    step = steps;
    optimizer.setSteps(steps);
  }

  /** Runs the next step. */
  public StepResult next() {
    int epoch = epoch();
    if (epoch != plannedEpoch) {
      planned = plan.epoch(epoch);
      plannedEpoch = epoch;
    }
    StepPlan.Step work = planned.get((int) (step % plan.stepsPerEpoch()));
    return run(work, strategies.apply(work));
  }

  /**
   * How the tower of each step is run from now on; everything is kept until this is called.
   *
   * @param chosen gives the strategy of a step and makes room for it
   */
  public void plan(Function<StepPlan.Step, TowerStrategy> chosen) {
    strategies = chosen;
  }

  /**
   * Runs a step of one's own choice as the next one. When it fails, weights and optimiser are those
   * of before, unless the optimiser itself was running.
   */
  public StepResult run(StepPlan.Step work, TowerStrategy strategy) {
    try {
      return run(work, model.tower().map(tower -> pass(tower, work.matrices(), strategy)));
    } catch (RuntimeException e) {
      abandon(e);
      throw e;
    }
  }

  /** Makes the state that of before a step that failed, as far as the device still answers. */
  private void abandon(RuntimeException failure) {
    try {
      pyramids.clear(); // one may be half made
      model.parameters().zeroGradients();
    } catch (RuntimeException broken) {
      failure.addSuppressed(broken);
    }
  }

  /** As {@link #run(StepPlan.Step, TowerStrategy)} with a tower pass of one's own. */
  StepResult run(StepPlan.Step work, Optional<TowerPass> tower) {
    double factor = config.rateSchedule().factor((double) step / totalSteps());
    int schedules = work.slices().stream().mapToInt(slice -> slice.indices().length).sum();
    double loss;
    try (Tape tape = Tape.recording(device.root(), config.seed() * 1_000_003 + step)) {
      Variable losses = losses(tape, work, tower);
      Variable total = LossFunctions.scaledSum(tape, losses, 1.0 / work.slices().size());
      loss = total.value().item();
      tape.backward(total);
      tower.ifPresent(TowerPass::finish);
    }
    optimizer.step(factor);
    step++;
    return new StepResult(step, loss, optimizer.gradientNorm(), config.rate() * factor, schedules);
  }

  private TowerPass pass(SparseTower tower, List<Integer> matrices, TowerStrategy strategy) {
    return TowerPass.of(
        strategy, tower, device.root(), pyramids.patterns(matrices), () -> pyramids.get(matrices));
  }

  private Variable losses(Tape tape, StepPlan.Step work, Optional<TowerPass> tower) {
    List<Selection> selections = new ArrayList<>();
    long[] offsets = new long[work.slices().size() + 1];
    for (int s = 0; s < work.slices().size(); s++) {
      StepPlan.Slice slice = work.slices().get(s);
      int matrix = work.matrices().indexOf(data.tasks().get(slice.task()).matrix());
      selections.add(new Selection(encoded.get(slice.task()), matrix, slice.indices()));
      offsets[s + 1] = offsets[s] + slice.indices().length;
    }
    double[] labels = new double[Math.toIntExact(offsets[offsets.length - 1])];
    int n = 0;
    for (StepPlan.Slice slice : work.slices()) {
      for (int index : slice.indices()) {
        labels[n++] = best[slice.task()] / data.tasks().get(slice.task()).task().latencyMs(index);
      }
    }
    TensorScope scope = tape.scope();
    Tensor label = scope.reals("labels", MemoryTag.INPUT, labels);
    Tensor offset = scope.longs("tasks", MemoryTag.INPUT, offsets);
    Variable pattern = tower.map(pass -> model.pattern(tape, pass.pooled(tape))).orElse(null);
    Variable scores = model.scores(tape, pattern, selections);
    return config.loss().forward(tape, scores, label, offset);
  }

  /** Encodes every task of the data for a model. */
  public static List<EncodedTask> encode(CostModel model, TrainingData data) {
    List<EncodedTask> encoded = new ArrayList<>();
    for (TaskData task : data.tasks()) {
      encoded.add(model.encode(task.task().matrix(), task.problem(), task.task().schedules()));
    }
    return encoded;
  }

  @Override
  public void close() {
    optimizer.close();
  }
}
