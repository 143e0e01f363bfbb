package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Adam;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.layers.RankingLoss;
import java.util.List;

/**
 * One step of training a cost model: tower over one matrix, scores of a batch of random schedules,
 * ranking loss, backward pass, Adam. Of its cost only the tower's is counted.
 */
final class StepWorkload implements Workload {
  private final TensorScope scope;
  private final RankingNetwork network;
  private final RankingStep ranking;
  private final PatternPyramid pyramid;
  private final Adam optimizer;
  private final Cost cost;
  private long step;

  StepWorkload(
      BenchmarkDevice on,
      Sites.Pattern pattern,
      ModelConfig config,
      RankingLoss loss,
      int schedules) {
    scope = on.scope().child("step");
    network = new RankingNetwork(scope, config, List.of(pattern), schedules);
    ranking = new RankingStep(scope, network, loss);
    pyramid = network.model().readsPattern() ? new PatternPyramid(scope, pattern) : null;
    optimizer =
        new Adam(scope, network.model().parameters(), Adam.Settings.of(7e-4, 1e-6, false, 0.5));
    cost = new Cost(tower(config).flops(), tower(config).bytes(), schedules);
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
    try (Tape tape = Tape.recording(scope, step++)) {
      ranking.run(tape, network.model().pattern(tape, pyramid));
    }
    optimizer.step(1);
  }

  /** Loss of the last step; waits for it. */
  double loss() {
    return ranking.loss();
  }

  @Override
  public Cost cost() {
    return cost;
  }

  @Override
  public void close() {
    optimizer.close();
    ranking.close();
    if (pyramid != null) {
      pyramid.close();
    }
    network.close();
    scope.close();
  }
}
