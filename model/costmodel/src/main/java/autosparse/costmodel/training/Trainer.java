package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.Adam;
import autosparse.layers.StateDict;
import autosparse.layers.WeightAverage;
import autosparse.schedule.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Fits a cost model, one optimiser step a call. The state that a run needs to go on bit for bit is
 * {@link #stateDict()} and {@link #step()}.
 */
public final class Trainer implements AutoCloseable {
  private final Device device;
  private final CostModel model;
  private final TrainingData data;
  private final TrainingConfig config;
  private final PyramidCache pyramids;
  private final StepPlan plan;
  private final Adam optimizer;

  /** Null where weights are not averaged. */
  private final WeightAverage average;

  private final List<EncodedTask> encoded = new ArrayList<>();
  private final double[] best;
  private final StepResults results;

  private final boolean replays;

  /** Null where the head is run on the step's tape. */
  private final HeadSteps heads;

  /** Steps of this epoch and, when they have been asked for, of the next. */
  private final TreeMap<Integer, List<StepPlan.Step>> planned = new TreeMap<>();

  private long step;
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
    this(model, data, encoded, config, pyramids, scope, scope.device().queuesWork());
  }

  /**
   * @param replays whether a fixed head is run as a work graph, and the next step's patterns are
   *     copied during a step: faster on a GPU, for memory that plans of steps do not count
   */
  public Trainer(
      CostModel model,
      TrainingData data,
      List<EncodedTask> encoded,
      TrainingConfig config,
      PyramidCache pyramids,
      TensorScope scope,
      boolean replays) {
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
    this.average =
        config.ema() > 0
            ? new WeightAverage(scope, model.parameters(), config.ema() * totalSteps())
            : null;
    this.encoded.addAll(encoded);
    this.best = data.tasks().stream().mapToDouble(task -> task.best(task.train())).toArray();
    this.results = new StepResults(scope);
    this.replays = replays;
    this.heads =
        replays
            ? model.fixedHead().map(head -> new HeadSteps(scope, head, config.loss())).orElse(null)
            : null;
  }

  /** Steps of one pass over the training schedules. */
  public int stepsPerEpoch() {
    return plan.stepsPerEpoch();
  }

  /** Steps of the whole run. */
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

  /** Whether all steps are done. */
  public boolean isDone() {
    return step >= totalSteps();
  }

  /** Whether the last step ended an epoch. */
  public boolean atEpochEnd() {
    return step > 0 && step % plan.stepsPerEpoch() == 0;
  }

  /**
   * The weights that the run is to be judged by, averaged if the run averages them; behind the
   * prefix {@code optimizer.} the moments, and the weights that training goes on with where they
   * are others.
   */
  public StateDict stateDict() {
    StateDict weights = model.parameters().stateDict();
    StateDict judged =
        average == null ? weights : average.stateDict().with("optimizer.weights.", weights);
    return judged.with("optimizer.", optimizer.stateDict());
  }

  /**
   * Runs an evaluation of the model with the weights that the run is to be judged by in place of
   * those that training goes on with.
   */
  public <T> T judged(Supplier<T> evaluation) {
    return average == null ? evaluation.get() : average.inPlaceOfWeights(evaluation);
  }

  /** Continues after {@code steps} steps; the caller has loaded {@link #stateDict()}. */
  public void resumeAt(long steps) {
    if (steps < 0 || steps > totalSteps()) {
      throw new InputException("step " + steps + " to resume at, expected 0 to " + totalSteps());
    }
    step = steps;
    optimizer.setSteps(steps);
  }

  /**
   * Runs the next step and waits for it. Results of earlier steps that were not asked for stay for
   * {@link #results}.
   */
  public StepResult next() {
    advance();
    return results.takeLast();
  }

  /**
   * Results of the steps since they were last asked for, oldest first. Waits for the device, so ask
   * seldom; nothing is lost however seldom.
   */
  public List<StepResult> results() {
    return results.take();
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
   * Runs a step of one's own choice as the next one, and waits for it. When memory is short,
   * weights and optimiser are those of before.
   */
  public StepResult run(StepPlan.Step work, TowerStrategy strategy) {
    advance(work, strategy);
    return results.takeLast();
  }

  /** Runs the next step; on a device that queues work, queues it and returns. */
  public void advance() {
    StepPlan.Step work = work(step);
    advance(work, strategies.apply(work));
  }

  private void advance(StepPlan.Step work, TowerStrategy strategy) {
    try {
      advance(work, model.tower().map(tower -> pass(tower, work.matrices(), strategy)));
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

  private TowerPass pass(SparseTower tower, List<Integer> matrices, TowerStrategy strategy) {
    return TowerPass.of(
        strategy, tower, device.root(), pyramids.sources(matrices), () -> pyramids.get(matrices));
  }

  /** Runs a step with a tower pass of one's own. */
  void advance(StepPlan.Step work, Optional<TowerPass> tower) {
    double factor = config.rateSchedule().factor((double) step / totalSteps());
    RankingBatch batch = RankingBatch.of(work, data, encoded, best);
    // Ahead of time only where memory is plenty: a plan knows of one step at a time.
    if (replays && tower.isPresent() && step + 1 < totalSteps()) {
      pyramids.prefetch(work(step + 1).matrices());
    }
    results.beginStep();
    try (Tape tape = Tape.recording(device.root(), config.seed() * 1_000_003 + step)) {
      Variable pattern = tower.map(pass -> pattern(tape, pass.pooled(tape))).orElse(null);
      if (heads == null) {
        rank(tape, pattern, batch);
      } else {
        heads.run(tape, pattern, batch, results.loss());
      }
      tower.ifPresent(TowerPass::finish);
    }
    device.ledger().within("optimiser", () -> updated(factor));
    device.operators().elementwise().copy(optimizer.norm(), results.norm());
    step++;
    results.endStep(step, epoch(), config.rate() * factor, batch.size());
  }

  private Variable pattern(Tape tape, List<Variable> pooled) {
    return tape.within("pattern features", () -> model.pattern(tape, pooled));
  }

  private Tensor updated(double factor) {
    if (average == null) {
      optimizer.step(factor);
    } else {
      optimizer.step(factor, average);
    }
    return optimizer.norm();
  }

  private StepPlan.Step work(long number) {
    int epoch = (int) (number / plan.stepsPerEpoch());
    planned.headMap(epoch()).clear();
    return planned.computeIfAbsent(epoch, plan::epoch).get((int) (number % plan.stepsPerEpoch()));
  }

  private void rank(Tape tape, Variable pattern, RankingBatch batch) {
    TensorScope scope = tape.scope();
    Tensor labels = scope.reals("labels", MemoryTag.INPUT, batch.labels());
    Tensor groups = scope.longs("tasks", MemoryTag.INPUT, batch.groups());
    Variable scores = tape.within("tokens", () -> model.scores(tape, pattern, batch.selections()));
    Variable losses =
        tape.within("loss", () -> config.loss().forward(tape, scores, labels, groups));
    HeadStep.meanBackward(tape, losses, results.loss());
  }

  /** Encodes every task of the data for a model. */
  public static List<EncodedTask> encode(CostModel model, TrainingData data) {
    List<EncodedTask> encoded = new ArrayList<>();
    for (TaskData task : data.tasks()) {
      encoded.add(
          model.encode(
              data.patterns().get(task.matrix()), task.problem(), task.task().schedules()));
    }
    return encoded;
  }

  @Override
  public void close() {
    if (heads != null) {
      heads.close();
    }
    results.close();
    if (average != null) {
      average.close();
    }
    optimizer.close();
  }
}
