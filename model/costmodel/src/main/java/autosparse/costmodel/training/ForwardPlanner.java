package autosparse.costmodel.training;

import autosparse.autograd.Variable;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.memory.PyramidOnDemand;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.RankingLoss;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Says what passes without gradients take: runs them on a planning device, with the code that runs
 * them on another.
 */
public final class ForwardPlanner implements AutoCloseable {
  private final PlanningDevice device;
  private final CostModel model;
  private final boolean owned;

  private ForwardPlanner(PlanningDevice device, CostModel model, boolean owned) {
    this.device = device;
    this.model = model;
    this.owned = owned;
  }

  /**
   * For a model that is planned already.
   *
   * @param device that {@code model} is on; neither is owned
   */
  ForwardPlanner(PlanningDevice device, CostModel model) {
    this(device, model, false);
  }

  /**
   * For the model in a file.
   *
   * @param device what the passes will run on, of {@link StepPlanner#UNLIMITED} bytes; closed with
   *     the planner
   */
  public static ForwardPlanner of(Path file, PlanningDevice device) {
    try {
      return new ForwardPlanner(device, ModelFile.read(file, device.root()).model(), true);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  /** The planned model: encodes tasks for the real one too. */
  public CostModel model() {
    return model;
  }

  /** Bytes of what is there between passes: the weights. */
  public long baseBytes() {
    return device.allocator().liveBytes();
  }

  /** The ways to run the tower over one matrix; empty for a model without a tower. */
  StrategySearch search(RowSource pattern) {
    List<RowSource> batch = List.of(pattern);
    return new StrategySearch(
        device,
        model.tower().orElseThrow(),
        batch,
        false,
        0,
        strategy -> {
          try (PyramidOnDemand whole = new PyramidOnDemand(device.root(), batch)) {
            ForwardPasses.features(
                model,
                device.root(),
                TowerPass.of(strategy, model.tower().orElseThrow(), device.root(), batch, whole));
          }
        });
  }

  /** Bytes that scores of some schedules take besides the weights, in one piece. */
  long scoresBytes(ForwardPasses.Features features, EncodedTask task, int[] indices) {
    return bytes(() -> ForwardPasses.scores(model, device.root(), features, task, indices));
  }

  /** Bytes that a loss over some schedules takes besides the weights, in one piece. */
  long lossBytes(RankingLoss loss, int schedules) {
    double[] any = new double[schedules];
    return bytes(() -> Evaluator.loss(device.root(), loss, any, any));
  }

  /** Features of the right shape for {@link #scoresBytes}; null for a model that reads none. */
  ForwardPasses.Features anyFeatures() {
    if (!model.readsPattern()) {
      return null;
    }
    TowerPass nothing =
        tape -> {
          var tower = model.tower().orElseThrow();
          List<Variable> averages = new ArrayList<>();
          for (int layer = 0; layer < tower.size(); layer++) {
            averages.add(
                Variable.constant(
                    tape.scope()
                        .zeros("averages", MemoryTag.ACTIVATION, 1, tower.channels(layer))));
          }
          return averages;
        };
    return ForwardPasses.features(model, device.root(), nothing);
  }

  private long bytes(Runnable pass) {
    long before = device.allocator().liveBytes();
    device.allocator().resetPeak();
    pass.run();
    return device.allocator().peakExtent() - before;
  }

  @Override
  public void close() {
    if (owned) {
      model.close();
      device.close();
    }
  }
}
