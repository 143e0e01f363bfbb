package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plans training steps: runs the trainer's own step on a planning device, for the matrices at hand.
 */
public final class StepPlanner implements AutoCloseable {
  /** A range that no step fills. */
  public static final long UNLIMITED = 1L << 50;

  private final PlanningDevice device;
  private final CostModel model;
  private final PyramidCache pyramids;
  private final Trainer trainer;

  /**
   * @param device what the steps will run on, of {@link #UNLIMITED} bytes; closed with the planner
   * @param config of the network, which is made again without weights
   * @param encoded the data's tasks as the network encodes them
   */
  public StepPlanner(
      PlanningDevice device,
      ModelConfig config,
      ModelStatistics statistics,
      TrainingData data,
      List<EncodedTask> encoded,
      TrainingConfig training) {
    this.device = device;
    this.model = CostModels.create(config, statistics, device.root(), training.seed());
    this.pyramids = new PyramidCache(device.root(), data.patterns(), 0);
    this.trainer = new Trainer(model, data, encoded, training, pyramids, device.root());
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
    SparseTower tower =
        model
            .tower()
            .orElseThrow(() -> new IllegalStateException(model.config().kind() + " has no tower"));
    return new StrategySearch(
        device,
        tower,
        pyramids.patterns(step.matrices()),
        true,
        headBytes(tower, step),
        strategy -> run(step, strategy));
  }

  private void run(StepPlan.Step step, TowerStrategy strategy) {
    trainer.run(step, strategy);
    pyramids.clear();
  }

  /** What a step takes besides its tower, weights and optimiser. */
  private long headBytes(SparseTower tower, StepPlan.Step step) {
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
    trainer.run(step, Optional.of(none));
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
