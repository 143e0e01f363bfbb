package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.engine.TensorScope;
import java.util.Arrays;
import java.util.List;

/** Scores of any number of schedules, in batches that bound the memory they take. */
public final class Scores {
  private static final int BATCH = 2048;

  private Scores() {}

  /**
   * Scores schedules of one task; larger = faster.
   *
   * @param scope where temporaries are made
   * @param pattern features of the task's matrix, [1, F]; null for a model that reads none
   * @param indices schedules of the task
   * @return [indices.length]
   */
  public static double[] of(
      CostModel model, TensorScope scope, Variable pattern, EncodedTask task, int[] indices) {
    double[] scores = new double[indices.length];
    for (int from = 0; from < indices.length; from += BATCH) {
      int[] part = Arrays.copyOfRange(indices, from, Math.min(indices.length, from + BATCH));
      try (Tape tape = Tape.inference(scope)) {
        Variable y = model.scores(tape, pattern, List.of(new Selection(task, 0, part)));
        System.arraycopy(y.value().toDoubles(), 0, scores, from, part.length);
      }
    }
    return scores;
  }
}
