package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a model without gradients: features of matrices, scores of schedules. Features stay on the
 * host between passes, so that a pass finds the device's memory in one piece.
 */
public final class ForwardPasses {
  /**
   * Pattern features of one matrix, on the host.
   *
   * @param dtype type that the device has them in
   * @param values [F], exact
   */
  public record Features(DType dtype, double[] values) {}

  private final CostModel model;
  private final TensorScope scope;
  private final PyramidCache pyramids;

  /** Null where everything is done as if memory were plenty. */
  private final PlannedPasses plans;

  private ForwardPasses(
      CostModel model, TensorScope scope, PyramidCache pyramids, PlannedPasses plans) {
    this.model = model;
    this.scope = scope;
    this.pyramids = pyramids;
    this.plans = plans;
  }

  /**
   * @param scope that the passes' tensors are made in
   * @param pyramids of the matrices; these give way where a pass needs the memory
   */
  public static ForwardPasses planned(
      CostModel model, TensorScope scope, PyramidCache pyramids, PlannedPasses plans) {
    return new ForwardPasses(model, scope, pyramids, plans);
  }

  /** As if memory were plenty. */
  public static ForwardPasses unplanned(CostModel model, TensorScope scope, PyramidCache pyramids) {
    return new ForwardPasses(model, scope, pyramids, null);
  }

  /** Features of a matrix; null for a model that reads none. */
  public Features features(int matrix) {
    if (!model.readsPattern()) {
      return null;
    }
    TowerStrategy strategy = TowerStrategy.KEEP_ALL;
    List<Integer> batch = List.of(matrix);
    if (plans != null) {
      MemoryPlan plan = plans.tower(matrix);
      strategy = plan.strategy();
      pyramids.makeRoom(batch, strategy, PlannedPasses.bytes(plan));
    }
    return features(
        model,
        scope,
        TowerPass.of(
            strategy,
            model.tower().orElseThrow(),
            scope,
            pyramids.sources(batch),
            () -> pyramids.get(batch)));
  }

  /**
   * Scores of schedules of one task; larger = faster.
   *
   * @param features of the task's matrix; null for a model that reads none
   * @return [indices.length]
   */
  public double[] scores(Features features, EncodedTask task, int[] indices) {
    double[] scores = new double[indices.length];
    int from = 0;
    while (from < indices.length) {
      int schedules = Math.min(PlannedPasses.MOST_SCHEDULES, indices.length - from);
      if (plans != null) {
        PlannedPasses.Batch batch = plans.batch(features, task, indices, from);
        pyramids.makeRoom(batch.bytes());
        schedules = batch.schedules();
      }
      int[] part = Arrays.copyOfRange(indices, from, from + schedules);
      System.arraycopy(scores(model, scope, features, task, part), 0, scores, from, schedules);
      from += schedules;
    }
    return scores;
  }

  static Features features(CostModel model, TensorScope scope, TowerPass pass) {
    try (Tape tape = Tape.inference(scope)) {
      Tensor features = model.pattern(tape, pass.pooled(tape)).value();
      return new Features(features.dtype(), features.toDoubles());
    }
  }

  static double[] scores(
      CostModel model, TensorScope scope, Features features, EncodedTask task, int[] indices) {
    try (Tape tape = Tape.inference(scope)) {
      Variable pattern = null;
      if (features != null) {
        Tensor values =
            tape.scope()
                .create("pattern", features.dtype(), MemoryTag.INPUT, 1, features.values().length);
        values.setDoubles(features.values());
        pattern = Variable.constant(values);
      }
      return model
          .scores(tape, pattern, List.of(new Selection(task, 0, indices)))
          .value()
          .toDoubles();
    }
  }
}
