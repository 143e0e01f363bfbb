package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.PatternPyramid;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Plans training steps: runs the trainer's own step on a planning device, for the matrices at hand.
 */
public final class StepPlanner implements AutoCloseable {
  /** A range that no step fills. */
  public static final long UNLIMITED = 1L << 50;

  private final PlanningDevice device;
  private final CostModel model;
  private final List<EncodedTask> encoded;
  private final PyramidCache pyramids;
  private final Trainer trainer;

  /**
   * @param device what the steps will run on, of {@link #UNLIMITED} bytes; closed with the planner
   * @param config of the network, which is made here without weights
   */
  public StepPlanner(
      PlanningDevice device,
      ModelConfig config,
      ModelStatistics statistics,
      TrainingData data,
      TrainingConfig training) {
    this.device = device;
    this.model = CostModels.create(config, statistics, device.root(), training.seed());
    this.encoded = Trainer.encode(model, data);
    this.pyramids = new PyramidCache(device.root(), data.patterns(), 0);
    this.trainer = new Trainer(model, data, encoded, training, pyramids, device.root(), false);
  }

  /** The device that steps are planned on, with the book of the last step. */
  public PlanningDevice device() {
    return device;
  }

  /**
   * The ways to run a step.
   *
   * @throws IllegalStateException for a network without a tower, which has one way only
   */
  public StrategySearch search(StepPlan.Step step) {
    return new StrategySearch(
        device,
        tower(),
        pyramids.sources(step.matrices()),
        true,
        headBytes(step),
        strategy -> run(step, strategy));
  }

  /** The step of a network without a tower, which has one way only. */
  MemoryPlan onlyPlan(StepPlan.Step step) {
    long base = baseBytes();
    device.allocator().resetPeak();
    device.ledger().restart();
    run(step, TowerStrategy.KEEP_ALL);
    return new MemoryPlan(
        TowerStrategy.KEEP_ALL,
        device.allocator().peakExtent(),
        device.allocator().peakBytes(),
        base,
        device.ledger().atPeak(),
        1);
  }

  /** Bytes of weights, gradients and optimiser, which are there between steps. */
  public long baseBytes() {
    return device.allocator().liveBytes();
  }

  /** Plans passes of the same model without gradients; valid while this is open. */
  public ForwardPlanner forward() {
    return new ForwardPlanner(device, model);
  }

  private void run(StepPlan.Step step, TowerStrategy strategy) {
    trainer.run(step, strategy);
    pyramids.clear();
  }

  /** The data's tasks as the network encodes them; not bound to a device. */
  public List<EncodedTask> encoded() {
    return encoded;
  }

  /** Whether there is a choice: a network without a tower has one way only. */
  public boolean hasTower() {
    return model.tower().isPresent();
  }

  /** Sites of the step's matrices on each level of the tower. */
  public List<Long> sitesByLevel(StepPlan.Step step) {
    SparseTower tower = tower();
    try (PatternPyramid pyramid = pyramid(step)) {
      tower.prepare(pyramid);
      return LongStream.rangeClosed(0, tower.outputLevel(tower.size() - 1))
          .mapToObj(level -> pyramid.sites((int) level).count())
          .toList();
    }
  }

  /** Pairs of two sites of the step's matrices that a kernel joins, both orders and itself. */
  public long pairs(StepPlan.Step step, ConvolutionKernel kernel) {
    try (PatternPyramid pyramid = pyramid(step)) {
      return pyramid.map(0, kernel).pairs();
    }
  }

  private PatternPyramid pyramid(StepPlan.Step step) {
    return new PatternPyramid(
        device.root(), pyramids.sources(step.matrices()).toArray(RowSource[]::new));
  }

  private SparseTower tower() {
    return model
        .tower()
        .orElseThrow(() -> new IllegalStateException(model.config().kind() + " has no tower"));
  }

  /** What a step takes besides its tower, weights and optimiser. */
  public long headBytes(StepPlan.Step step) {
    SparseTower tower = tower();
    long before = device.allocator().liveBytes();
    device.allocator().resetPeak();
    int batch = step.matrices().size();
    TowerPass none =
        tape -> {
          List<Variable> averages = new ArrayList<>();
          for (int layer = 0; layer < tower.size(); layer++) {
            averages.add(
                Variable.leaf(
                    zeros(tape, batch, tower.channels(layer)),
                    zeros(tape, batch, tower.channels(layer))));
          }
          return averages;
        };
    trainer.advance(step, Optional.of(none));
    return device.allocator().peakBytes() - before;
  }

  private static Tensor zeros(Tape tape, int rows, int columns) {
    return tape.scope().zeros("averages", MemoryTag.ACTIVATION, rows, columns);
  }

  @Override
  public void close() {
    trainer.close();
    pyramids.close();
    model.close();
    device.close();
  }
}
