package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.BatchArrays;
import autosparse.costmodel.network.FixedHead;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.layers.RankingLoss;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The {@link HeadStep} of each shape that occurs; the least recently used go first.
 *
 * <p>How often shapes come back was counted over 22 epochs of batches of 1,024. The published
 * records (7 matrices, 1,254 steps): 516 shapes for SpMM and 777 for all operators, since the
 * number of distinct token rows differs from batch to batch; with these rounded up to a multiple of
 * {@value #ROW_MULTIPLE}, 28 and 50. The bundled data set (40 matrices, 880 steps): 40, one a
 * matrix.
 */
public final class HeadSteps implements AutoCloseable {
  /** What the number of a batch's distinct rows is rounded up to. */
  public static final int ROW_MULTIPLE = 64;

  private static final int MOST = 64;

  /** What decides the work of a step's head. */
  private record Form(Object arrays, Object features, int tasks, int schedules) {}

  private final TensorScope scope;
  private final FixedHead head;
  private final RankingLoss ranking;
  private final Map<Form, HeadStep> byForm = new LinkedHashMap<>(16, 0.75f, true);

  public HeadSteps(TensorScope parent, FixedHead head, RankingLoss ranking) {
    this.scope = parent.child("heads");
    this.head = head;
    this.ranking = ranking;
  }

  /** A batch and what the head reads of it, on the host. */
  public record Prepared(BatchArrays arrays, RankingBatch batch) {}

  /** Gathers what the head reads of a batch, which waits for nothing and needs no device. */
  public Prepared prepare(RankingBatch batch) {
    return new Prepared(head.batch(batch.selections(), ROW_MULTIPLE), batch);
  }

  /**
   * Runs head, loss and backward pass of a step.
   *
   * @param features of the step's matrices, [M, F]
   * @param mean [1], the step's loss
   */
  public void run(Tape tape, Variable features, RankingBatch batch, Tensor mean) {
    run(tape, features, prepare(batch), mean);
  }

  /** As the other, for a batch that was prepared before. */
  public void run(Tape tape, Variable features, Prepared prepared, Tensor mean) {
    BatchArrays arrays = prepared.arrays();
    RankingBatch batch = prepared.batch();
    Form form = new Form(arrays.form(), features.value().shape(), batch.tasks(), batch.size());
    HeadStep step = byForm.get(form);
    if (step == null) {
      if (byForm.size() == MOST) {
        Iterator<HeadStep> oldest = byForm.values().iterator();
        oldest.next().close();
        oldest.remove();
      }
      step = new HeadStep(scope, head, ranking, features.value(), arrays, batch);
      byForm.put(form, step);
    }
    step.run(tape, features, arrays, batch, mean);
  }

  /** Shapes that are kept. */
  int size() {
    return byForm.size();
  }

  @Override
  public void close() {
    byForm.values().forEach(HeadStep::close);
    byForm.clear();
    scope.close();
  }
}
