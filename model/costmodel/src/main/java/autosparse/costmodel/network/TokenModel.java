package autosparse.costmodel.network;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.tokens.TaskTokens;
import autosparse.costmodel.tokens.Tokenizer;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.Initializer;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.List;
import java.util.Optional;

/** Pattern tower and token head: {@code autosparse}, {@code autosparse-last}, {@code waco-wide}. */
final class TokenModel implements CostModel, FixedHead {
  private record TokenTask(TaskTokens tokens) implements EncodedTask {
    @Override
    public int size() {
      return tokens.sequences().length;
    }

    @Override
    public long hostBytes() {
      return tokens.hostBytes();
    }
  }

  private final ModelConfig config;
  private final Parameters parameters;
  private final Tokenizer tokenizer;
  private final PatternEncoder patterns;
  private final RankingHead head;

  TokenModel(ModelConfig config, ModelStatistics statistics, Parameters parameters) {
    this.config = config;
    this.parameters = parameters;
    this.tokenizer =
        new Tokenizer(
            config.tokens(),
            config.derivedFeatures() ? Optional.of(statistics.derived()) : Optional.empty(),
            config.workFeatures() ? Optional.of(statistics.work()) : Optional.empty(),
            statistics.bins(config, config.workFeatures()),
            statistics.shape());
    Initializer weights =
        config.tokens() == TokenForm.PUBLISHED
            ? Initializer.normal(0.02)
            : Initializer.uniformFanIn();
    this.patterns = new PatternEncoder(parameters, config, weights);
    this.head = new RankingHead(parameters, config, tokenizer.width(), weights);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public boolean readsPattern() {
    return true;
  }

  @Override
  public EncodedTask encode(MatrixPattern pattern, Problem problem, List<Schedule> schedules) {
    return new TokenTask(tokenizer.tokenize(pattern.counts(), problem, schedules));
  }

  @Override
  public Optional<SparseTower> tower() {
    return Optional.of(patterns.tower());
  }

  @Override
  public Variable pattern(Tape tape, List<Variable> pooled) {
    return patterns.forward(tape, pooled);
  }

  @Override
  public Variable scores(Tape tape, Variable pattern, List<Selection> selections) {
    return scoresOf(tape, pattern, batch(selections, 1).on(tape.scope()));
  }

  @Override
  public Optional<FixedHead> fixedHead() {
    return Optional.of(this);
  }

  private boolean concatenates() {
    return config.featureAt() == FeatureAt.CONCAT;
  }

  @Override
  public BatchArrays batch(List<Selection> selections, int rowMultiple) {
    TokenBatch tokens =
        TokenBatch.of(
            selections, s -> ((TokenTask) s.task()).tokens(), !concatenates(), rowMultiple);
    int width = tokenizer.width();
    BatchArrays arrays =
        new BatchArrays()
            .reals("tokens", tokens.table(tokenizer), tokens.rows(), width)
            .ints("token rows", tokens.tokens())
            .longs("sequences", tokens.offsets());
    return concatenates() ? arrays.ints("pattern rows", tokens.patternRows()) : arrays;
  }

  @Override
  public Variable scoresOf(Tape tape, Variable pattern, List<Tensor> batch) {
    Variable table = Variable.constant(batch.get(0));
    Variable rows = DenseFunctions.concatRows(tape, List.of(table, patternTokens(tape, pattern)));
    Tensor patternRows = concatenates() ? batch.get(3) : null;
    return head.scores(tape, rows, batch.get(1), batch.get(2), patternRows);
  }

  /** The pattern features as token rows: one-hot, features, zeros. */
  private Variable patternTokens(Tape tape, Variable pattern) {
    TensorScope scope = tape.scope();
    long matrices = pattern.value().dim(0);
    int kinds = tokenizer.kinds();
    int padding = tokenizer.width() - kinds - ModelConfig.PATTERN_FEATURES;
    Tensor oneHot = scope.zeros("pattern one-hot", MemoryTag.INPUT, matrices, kinds);
    Tensor ones = scope.real("ones", MemoryTag.INPUT, matrices, 1);
    tape.operators().elementwise().fill(ones, 1);
    tape.operators().elementwise().copyColumns(ones, 0, oneHot, Tokenizer.patternKind(), 1, false);
    Variable front = Variable.constant(oneHot);
    if (padding == 0) {
      return DenseFunctions.concatColumns(tape, List.of(front, pattern));
    }
    Tensor zeros = scope.zeros("pattern padding", MemoryTag.INPUT, matrices, padding);
    return DenseFunctions.concatColumns(tape, List.of(front, pattern, Variable.constant(zeros)));
  }

  @Override
  public double towerMultiplyAdds(PatternPyramid pyramid) {
    return patterns.tower().multiplyAdds(pyramid);
  }

  @Override
  public void close() {
    parameters.close();
  }
}
