package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.BatchArrays;
import autosparse.costmodel.network.FixedHead;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.WorkGraph;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.RankingLoss;
import java.util.List;

/**
 * Head, loss and their gradients for batches of one shape, as one piece of work: pattern features
 * and a batch in; loss, gradient of the features and, added to the parameters' own, gradients of
 * the head's weights out. Bit for bit what the head does on the step's tape.
 */
final class HeadStep implements AutoCloseable {
  private final TensorScope scope;
  private final FixedHead head;
  private final RankingLoss ranking;
  private final Variable pattern;
  private final List<Tensor> inputs;
  private final Tensor labels;
  private final Tensor groups;
  private final Tensor loss;
  private final WorkGraph graph;

  /**
   * @param features of any step of this shape, [M, F]: gives their type and shape
   * @param arrays of any step of this shape
   * @param batch of any step of this shape
   */
  HeadStep(
      TensorScope parent,
      FixedHead head,
      RankingLoss ranking,
      Tensor features,
      BatchArrays arrays,
      RankingBatch batch) {
    this.scope = parent.child("head of " + batch.size() + " schedules");
    this.head = head;
    this.ranking = ranking;
    this.pattern = Variable.leaf(like("pattern", features), like("pattern gradient", features));
    this.inputs = arrays.create(scope);
    this.labels = scope.real("labels", MemoryTag.INPUT, batch.size());
    this.groups = scope.longs("tasks", MemoryTag.INPUT, batch.groups());
    this.loss = scope.real("loss", MemoryTag.INPUT, 1);
    this.graph = scope.device().graph(scope.toString(), this::compute);
  }

  private Tensor like(String name, Tensor other) {
    return scope.create(name, other.dtype(), MemoryTag.INPUT, other.shape().toArray());
  }

  private void compute() {
    scope.device().operators().elementwise().fill(pattern.gradient(), 0);
    try (Tape tape = Tape.recording(scope, 0)) {
      Variable scores = head.scoresOf(tape, pattern, inputs);
      meanBackward(tape, ranking.forward(tape, scores, labels, groups), loss);
    }
  }

  /**
   * Writes the mean of a step's losses and runs the backward pass from it.
   *
   * @param losses [G]
   * @param mean [1]
   */
  static void meanBackward(Tape tape, Variable losses, Tensor mean) {
    double share = 1.0 / losses.value().dim(0);
    var elementwise = tape.operators().elementwise();
    tape.operators().reduction().sum(losses.value(), mean);
    elementwise.scale(share, mean, mean);
    tape.gradient(losses, gradient -> elementwise.fill(gradient, share));
    tape.backward();
  }

  /**
   * Runs the head behind a tape's pattern features and the tape's backward pass from them.
   *
   * @param features [M, F], on the tape
   * @param mean [1], the step's loss
   */
  void run(Tape tape, Variable features, BatchArrays arrays, RankingBatch batch, Tensor mean) {
    var elementwise = tape.operators().elementwise();
    arrays.write(inputs);
    labels.setDoubles(batch.labels());
    groups.write(0, batch.groups(), 0, batch.groups().length);
    elementwise.copy(features.value(), pattern.value());
    graph.run();
    elementwise.copy(loss, mean);
    tape.gradient(features, gradient -> elementwise.copy(pattern.gradient(), gradient));
    tape.backward();
  }

  @Override
  public void close() {
    graph.close();
    scope.close();
  }
}
