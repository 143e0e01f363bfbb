package autosparse.costmodel.network;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.engine.Tensor;
import java.util.List;

/**
 * The part of a model behind the pattern features, where its work depends on the shapes of its
 * inputs alone: no dropout, no number that changes from step to step. Such work can be captured
 * once and replayed (see {@link autosparse.engine.WorkGraph}).
 */
public interface FixedHead {
  /**
   * The selected schedules as arrays.
   *
   * @param rowMultiple numbers of rows that differ from batch to batch, and that unused rows do not
   *     change the result of, are rounded up to a multiple of this, so that fewer shapes occur; 1
   *     adds none
   */
  BatchArrays batch(List<Selection> selections, int rowMultiple);

  /**
   * Scores of a batch's schedules.
   *
   * @param pattern features of the matrices, [M, F]
   * @param batch from {@link #batch}, on the device
   * @return [N]
   */
  Variable scoresOf(Tape tape, Variable pattern, List<Tensor> batch);
}
