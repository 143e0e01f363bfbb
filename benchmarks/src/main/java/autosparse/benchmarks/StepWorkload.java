package autosparse.benchmarks;

import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Adam;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.layers.RankingLoss;
import java.util.Arrays;
import java.util.List;

/**
 * One step of training a cost model: tower over one matrix, scores of a batch of random schedules,
 * ranking loss, backward pass, Adam. Of its cost only the tower's is counted.
 */
final class StepWorkload implements Workload {
  private final TensorScope scope;
  private final RankingNetwork network;
  private final RankingLoss loss;
  private final PatternPyramid pyramid;
  private final Adam optimizer;
  private final Tensor labels;
  private final Tensor groups;
  private final Cost cost;
  private long step;

  StepWorkload(
      BenchmarkDevice on,
      Sites.Pattern pattern,
      ModelConfig config,
      RankingLoss loss,
      int schedules) {
    this.loss = loss;
    scope = on.scope().child("step");
    network = new RankingNetwork(scope, config, List.of(pattern), schedules);
    RandomStream random = RandomStream.named(1, "labels");
    double[] speeds = new double[schedules];
    Arrays.setAll(speeds, i -> 1 - random.nextDouble());
    labels = scope.reals("labels", MemoryTag.INPUT, speeds);
    groups = scope.longs("groups", MemoryTag.INPUT, new long[] {0, schedules});
    pyramid = network.model().readsPattern() ? new PatternPyramid(scope, pattern) : null;
    optimizer =
        new Adam(scope, network.model().parameters(), Adam.Settings.of(7e-4, 1e-6, false, 0.5));
    cost = new Cost(tower(config).flops(), tower(config).bytes(), schedules);
    on.resetPeak();
  }

  /** What forward and backward pass of the network's tower cost; a WACO tower's is not counted. */
  private Cost tower(ModelConfig config) {
    if (config.kind() != ModelKind.AUTOSPARSE && config.kind() != ModelKind.AUTOSPARSE_LAST) {
      return Cost.of(0, 0);
    }
    try (Parameters same = new Parameters(scope, 1)) {
      SparseTower tower = SparseTower.autoSparse(same.in("tower"), config.channels());
      return TowerWorkload.cost(
          tower, pyramid, scope.device(), config.channels(), Pass.FORWARD_AND_BACKWARD);
    }
  }

  @Override
  public void run() {
    step(false);
  }

  /** One step, waiting for its loss. */
  double loss() {
    return step(true);
  }

  private double step(boolean wanted) {
    double value = 0;
    try (Tape tape = Tape.recording(scope, step++)) {
      Variable pattern = network.model().pattern(tape, pyramid);
      Variable scores = network.model().scores(tape, pattern, network.selections());
      Variable perGroup = loss.forward(tape, scores, labels, groups);
      Variable total = LossFunctions.scaledSum(tape, perGroup, 1);
      if (wanted) {
        value = total.value().item();
      }
      tape.backward(total);
    }
    optimizer.step(1);
    return value;
  }

  @Override
  public Cost cost() {
    return cost;
  }

  @Override
  public void close() {
    optimizer.close();
    if (pyramid != null) {
      pyramid.close();
    }
    network.close();
    scope.close();
  }
}
