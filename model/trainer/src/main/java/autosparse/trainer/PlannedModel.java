package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.training.Evaluator;
import autosparse.costmodel.training.ForwardPlanner;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.StepPlanner;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.engine.PlanningDevice;
import autosparse.layers.RankingLoss;
import java.nio.file.Path;
import java.util.List;

/** A saved model before it is loaded: what judging it will take of a device. */
final class PlannedModel implements AutoCloseable {
  /** The loss that saved models are judged by. */
  static final RankingLoss LOSS = RankingLoss.LAMBDARANK;

  private final Path file;
  private final Device device;
  private final ForwardPlanner planner;

  private PlannedModel(Path file, Device device, ForwardPlanner planner) {
    this.file = file;
    this.device = device;
    this.planner = planner;
  }

  /**
   * Plans for the model in a file; nothing is placed on the device.
   *
   * @throws autosparse.schedule.InputException when the file is no model of ours
   */
  static PlannedModel of(Path file, Device device) {
    PlanningDevice planning = PlanningDevice.like(device, StepPlanner.UNLIMITED);
    return new PlannedModel(file, device, ForwardPlanner.of(file, planning));
  }

  /** Where the model is saved. */
  Path file() {
    return file;
  }

  ModelConfig config() {
    return planner.model().config();
  }

  ForwardPlanner planner() {
    return planner;
  }

  /**
   * Passes beside what else is on the device.
   *
   * @param others bytes of all tensors on the device but the model's weights
   */
  PlannedPasses passes(long others) {
    return new PlannedPasses(planner, device.budget(), others + planner.baseBytes());
  }

  /**
   * All passes of an evaluation.
   *
   * @param lossBatch schedules over which a loss is formed
   * @param blind whether the model is judged with another matrix's pattern too
   * @param host takes down what is kept of the tasks
   * @throws autosparse.schedule.InputException when one does not fit, with the budget that would do
   */
  PlannedPasses judge(TrainingData data, int lossBatch, boolean blind, long others, HostPlan host) {
    PlannedPasses passes = passes(others);
    List<EncodedTask> encoded = Trainer.encode(planner.model(), data);
    // The session's, whose turn comes when these are gone.
    host.keepOneOf(HostPlan.TOKENS, CostModel.hostBytes(encoded));
    Evaluator.plan(passes, data, encoded, LOSS, lossBatch, blind);
    return passes;
  }

  @Override
  public void close() {
    planner.close();
  }
}
