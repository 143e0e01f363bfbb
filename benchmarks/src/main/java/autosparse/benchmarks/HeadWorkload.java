package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.layers.RankingLoss;
import java.util.List;

/**
 * The head of a cost model alone, forward and backward: scores of all schedules and their margin
 * loss, the pattern's features given.
 */
final class HeadWorkload implements Workload {
  private final TensorScope scope;
  private final RankingNetwork network;
  private final RankingStep ranking;
  private final Tensor features;
  private final Cost cost;
  private long step;

  HeadWorkload(BenchmarkDevice on, Sites.Pattern pattern, ModelConfig config, int schedules) {
    scope = on.scope().child("head");
    network = new RankingNetwork(scope, config, List.of(pattern), schedules);
    ranking = new RankingStep(scope, network, RankingLoss.MARGIN);
    features = features(scope, network, pattern);
    cost = cost(config);
    int[] lengths = network.sequenceLengths();
    System.out.printf(
        "%n%d schedules, %d tokens, %d of them different%n",
        lengths.length, java.util.Arrays.stream(lengths).sum(), network.distinctTokens());
  }

  /** A pattern's features, computed once. */
  static Tensor features(TensorScope scope, RankingNetwork network, Sites.Pattern... patterns) {
    try (PatternPyramid pyramid = new PatternPyramid(scope, patterns);
        Tape tape = Tape.inference(scope)) {
      Tensor computed = network.model().pattern(tape, pyramid).value();
      Tensor kept =
          scope.create("features", computed.dtype(), MemoryTag.INPUT, computed.shape().toArray());
      scope.device().operators().elementwise().copy(computed, kept);
      return kept;
    }
  }

  /**
   * Two operations for each weight that a token meets and multiply-add of its attention; three
   * times as many with the backward pass. Distinct tokens are encoded once.
   */
  private Cost cost(ModelConfig config) {
    double encoder = 0;
    double others = 0;
    double weights = 0;
    for (var parameter : network.model().parameters().byName().entrySet()) {
      Tensor weight = parameter.getValue().value();
      String name = parameter.getKey();
      if (name.startsWith("tower") || name.startsWith("pattern")) {
        continue;
      }
      weights += weight.bytes();
      if (weight.shape().rank() == 2) {
        encoder += name.startsWith("encoder") ? weight.elements() : 0;
        others += name.startsWith("encoder") ? 0 : weight.elements();
      }
    }
    double multiplyAdds = network.distinctTokens() * encoder;
    for (int length : network.sequenceLengths()) {
      multiplyAdds += length * (others + 2.0 * length * config.head().width());
    }
    // Weights are read twice, their gradients written once.
    return new Cost(6 * multiplyAdds, 3 * weights, network.schedules());
  }

  @Override
  public void run() {
    try (Tape tape = Tape.recording(scope, step++)) {
      ranking.run(tape, Variable.constant(features));
    }
  }

  @Override
  public Cost cost() {
    return cost;
  }

  @Override
  public void close() {
    ranking.close();
    network.close();
    scope.close();
  }
}
