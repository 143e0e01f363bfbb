package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Scores of schedules, read back to the host, as a search asks for them: all in one batch, or one
 * schedule (or one matrix) after the other.
 */
final class RankingWorkload implements Workload {
  /**
   * What is scored at once.
   *
   * @param features of the patterns, or null when the tower has to run
   * @param pyramid of the patterns, or null when their features are known
   */
  private record Batch(Tensor features, PatternPyramid pyramid, List<Selection> selections) {}

  private final TensorScope scope;
  private final RankingNetwork network;
  private final List<Batch> batches = new ArrayList<>();
  private final Cost cost;

  private RankingWorkload(
      BenchmarkDevice on, ModelConfig config, List<Sites.Pattern> patterns, int schedules) {
    scope = on.scope().child("ranking");
    network = new RankingNetwork(scope, config, patterns, schedules);
    cost = new Cost(0, 0, network.schedules());
  }

  /** Schedules of one matrix whose features are known: the head alone. */
  static RankingWorkload ofSchedules(
      BenchmarkDevice on,
      Sites.Pattern pattern,
      ModelConfig config,
      int schedules,
      boolean oneByOne) {
    RankingWorkload ranking = new RankingWorkload(on, config, List.of(pattern), schedules);
    Tensor features = HeadWorkload.features(ranking.scope, ranking.network, pattern);
    Selection all = ranking.network.selections().get(0);
    if (oneByOne) {
      for (int index : all.indices()) {
        Selection one = new Selection(all.task(), 0, new int[] {index});
        ranking.batches.add(new Batch(features, null, List.of(one)));
      }
    } else {
      ranking.batches.add(new Batch(features, null, List.of(all)));
    }
    return ranking;
  }

  /** Schedules of several matrices of one pattern: tower and head, maps at hand. */
  static RankingWorkload ofMatrices(
      BenchmarkDevice on,
      Sites.Pattern pattern,
      ModelConfig config,
      int matrices,
      int schedules,
      boolean oneByOne) {
    List<Sites.Pattern> patterns = Collections.nCopies(matrices, pattern);
    RankingWorkload ranking = new RankingWorkload(on, config, patterns, schedules);
    TensorScope scope = ranking.scope;
    List<Selection> all = ranking.network.selections();
    if (oneByOne) {
      for (Selection selection : all) {
        Selection alone = new Selection(selection.task(), 0, selection.indices());
        ranking.batches.add(new Batch(null, new PatternPyramid(scope, pattern), List.of(alone)));
      }
    } else {
      PatternPyramid together = new PatternPyramid(scope, patterns.toArray(new Sites.Pattern[0]));
      ranking.batches.add(new Batch(null, together, all));
    }
    return ranking;
  }

  @Override
  public void run() {
    for (Batch batch : batches) {
      scores(batch);
    }
  }

  /** Scores of all batches, one after the other. */
  double[] scores() {
    return batches.stream().map(this::scores).flatMapToDouble(java.util.Arrays::stream).toArray();
  }

  private double[] scores(Batch batch) {
    try (Tape tape = Tape.inference(scope)) {
      Variable pattern =
          batch.features() == null
              ? network.model().pattern(tape, batch.pyramid())
              : Variable.constant(batch.features());
      return network.model().scores(tape, pattern, batch.selections()).value().toDoubles();
    }
  }

  @Override
  public Cost cost() {
    return cost;
  }

  @Override
  public void close() {
    for (Batch batch : batches) {
      if (batch.pyramid() != null) {
        batch.pyramid().close();
      }
    }
    network.close();
    scope.close();
  }
}
