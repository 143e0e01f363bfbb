package autosparse.benchmarks;

import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.training.HeadSteps;
import autosparse.costmodel.training.RankingBatch;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.RankingLoss;
import java.util.Arrays;

/**
 * Head, ranking loss and backward pass over all schedules of a network, as the trainer runs them:
 * as one piece of work where the device queues work and the head's shapes are fixed.
 */
final class RankingStep implements AutoCloseable {
  private final RankingNetwork network;
  private final RankingLoss ranking;
  private final RankingBatch batch;
  private final Tensor labels;
  private final Tensor groups;
  private final Tensor loss;

  /** Null where the head is run on the step's tape. */
  private final HeadSteps heads;

  /** Of one matrix, whose schedules have random speeds. */
  RankingStep(TensorScope scope, RankingNetwork network, RankingLoss ranking) {
    this(scope, network, ranking, scope.device().queuesWork());
  }

  /** As the constructor, always on the step's tape: what plans of memory count. */
  static RankingStep onTape(TensorScope scope, RankingNetwork network, RankingLoss ranking) {
    return new RankingStep(scope, network, ranking, false);
  }

  private RankingStep(
      TensorScope scope, RankingNetwork network, RankingLoss ranking, boolean replays) {
    this.network = network;
    this.ranking = ranking;
    int schedules = network.schedules();
    RandomStream random = RandomStream.named(1, "labels");
    double[] speeds = new double[schedules];
    Arrays.setAll(speeds, i -> 1 - random.nextDouble());
    batch = new RankingBatch(network.selections(), speeds, new long[] {0, schedules});
    labels = scope.reals("labels", MemoryTag.INPUT, batch.labels());
    groups = scope.longs("groups", MemoryTag.INPUT, batch.groups());
    loss = scope.real("loss", MemoryTag.INPUT, 1);
    heads =
        replays
            ? network
                .model()
                .fixedHead()
                .map(head -> new HeadSteps(scope, head, ranking))
                .orElse(null)
            : null;
  }

  /**
   * Runs head and loss and the tape's backward pass.
   *
   * @param pattern features of the matrix; null for a network that reads no pattern
   */
  void run(Tape tape, Variable pattern) {
    if (heads != null) {
      heads.run(tape, pattern, batch, loss);
      return;
    }
    Variable scores = network.model().scores(tape, pattern, batch.selections());
    Variable perGroup = ranking.forward(tape, scores, labels, groups);
    Variable total = LossFunctions.scaledSum(tape, perGroup, 1);
    scores.value().device().operators().elementwise().copy(total.value(), loss);
    tape.backward(total);
  }

  /** Loss of the last run; waits for it. */
  double loss() {
    return loss.item();
  }

  @Override
  public void close() {
    if (heads != null) {
      heads.close();
    }
  }
}
