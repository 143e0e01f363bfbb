package autosparse.benchmarks;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.tokens.Bins;
import autosparse.costmodel.tokens.TaskTokens;
import autosparse.costmodel.tokens.Tokenizer;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.space.ScheduleSpace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** A cost model with fresh weights, and random SpMM schedules for it to rank on some matrices. */
final class RankingNetwork implements AutoCloseable {
  private static final int THREADS = 48;
  private static final String NAME = "benchmark";

  private final CostModel model;
  private final List<Selection> selections = new ArrayList<>();
  private final List<TaskTokens> tokens = new ArrayList<>();

  /**
   * @param schedules for each matrix
   */
  RankingNetwork(
      TensorScope scope, ModelConfig config, List<Sites.Pattern> patterns, int schedules) {
    SplittableRandom random = new SplittableRandom(1);
    List<SparsityPattern> matrices = new ArrayList<>();
    List<Problem> problems = new ArrayList<>();
    List<List<Schedule>> candidates = new ArrayList<>();
    for (Sites.Pattern pattern : patterns) {
      SparsityPattern matrix =
          SparsityPattern.of(
              NAME,
              Math.toIntExact(pattern.rows()),
              Math.toIntExact(pattern.columns()),
              pattern.rowPointers(),
              pattern.columnIndices());
      matrices.add(matrix);
      Problem problem = Problem.of(Op.SPMM, matrix);
      problems.add(problem);
      List<Schedule> drawn = new ArrayList<>();
      for (int s = 0; s < schedules; s++) {
        drawn.add(split(problem, random));
      }
      candidates.add(drawn);
    }
    ModelStatistics statistics =
        ModelStatistics.fit(
            task -> {
              for (int p = 0; p < problems.size(); p++) {
                task.accept(matrices.get(p), problems.get(p), candidates.get(p));
              }
            },
            List.of(NAME),
            0);
    model = CostModels.create(config, statistics, scope, 1);
    Tokenizer tokenizer =
        new Tokenizer(
            config.tokens(),
            config.derivedFeatures() ? Optional.of(statistics.derived()) : Optional.empty(),
            config.workFeatures() ? Optional.of(statistics.work()) : Optional.empty(),
            Bins.none(0),
            statistics.shape());
    int[] all = new int[schedules];
    Arrays.setAll(all, i -> i);
    for (int p = 0; p < problems.size(); p++) {
      EncodedTask task = model.encode(matrices.get(p), problems.get(p), candidates.get(p));
      selections.add(new Selection(task, p, all));
      tokens.add(tokenizer.tokenize(matrices.get(p).counts(), problems.get(p), candidates.get(p)));
    }
  }

  /** A schedule that splits every axis, so that all have as many tokens: 11 and the pattern's. */
  private static Schedule split(Problem problem, SplittableRandom random) {
    Schedule schedule;
    do {
      schedule = ScheduleSpace.random(problem, THREADS, random);
    } while (schedule.loopOrder().size() < 2 * problem.op().axes().size());
    return schedule;
  }

  /** AutoSparseNet as this project trains it at C channels, with one of the heads. */
  static ModelConfig config(
      autosparse.costmodel.ModelKind kind, int channels, ModelConfig.Head head) {
    return new ModelConfig(
            kind,
            List.of(Op.SPMM),
            channels,
            TokenForm.NORMALIZED,
            true,
            1,
            ModelConfig.FeatureAt.TOKEN,
            head)
        .withWorkFeatures();
  }

  CostModel model() {
    return model;
  }

  /** All schedules of each matrix. */
  List<Selection> selections() {
    return selections;
  }

  /** Number of schedules of all matrices. */
  int schedules() {
    return selections.stream().mapToInt(selection -> selection.indices().length).sum();
  }

  /** Lengths of the sequences of all schedules, the pattern's token included. */
  int[] sequenceLengths() {
    return tokens.stream()
        .flatMap(task -> Arrays.stream(task.sequences()))
        .mapToInt(sequence -> sequence.length + 1)
        .toArray();
  }

  /** Different tokens, the patterns' included: each is encoded once. */
  int distinctTokens() {
    return tokens.stream().mapToInt(task -> task.table().length + 1).sum();
  }

  @Override
  public void close() {
    model.close();
  }
}
