package autosparse.costmodel.tokens;

import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.schedule.AxisSplit;
import autosparse.schedule.LevelModes;
import autosparse.schedule.Op;
import autosparse.schedule.PatternCounts;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import autosparse.schedule.StorageOrder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Schedules as token rows: the kind's one-hot, then the primitive's content, zero padded.
 *
 * <p>Normalised content: one-hot roles for axes, log2(1 + size)/10 for numbers. Published content:
 * vocabulary indices and numbers as they are (reference "Networks", section 2). Not thread-safe.
 */
public final class Tokenizer {
  /** Width of a published token. */
  public static final int PUBLISHED_WIDTH = 128;

  private static final List<String> VOCABULARY =
      List.of("None", "i", "j", "k", "i0", "i1", "j0", "j1", "k0", "k1", "A", "D");
  private static final int POSITIONS = 6;
  private static final int MODES = 5;

  private final TokenForm form;
  private final Optional<Scaling> derived;
  private final Optional<Scaling> work;
  private final Bins bins;
  private final Scaling shapeScaling;

  /**
   * @param derived standardises {@link DerivedFeatures}; empty for no token of them
   * @param work standardises {@link WorkFeatures}, which follow in the same token; empty for none
   * @param bins of these standardised features, derived ones first; they follow in the same token
   * @param shapeScaling standardises rows, columns, nnz and density of published tokens
   */
  public Tokenizer(
      TokenForm form,
      Optional<Scaling> derived,
      Optional<Scaling> work,
      Bins bins,
      Scaling shapeScaling) {
    this.form = form;
    this.derived = derived;
    this.work = work;
    this.bins = bins;
    this.shapeScaling = shapeScaling;
  }

  /** Number of one-hots in front of a token. */
  public int kinds() {
    return derived.isPresent() ? TokenKind.PUBLISHED + 1 : TokenKind.PUBLISHED;
  }

  /** Width of a token as the network reads it. */
  public int width() {
    return bins.width() == 0 ? storedWidth() : Math.max(storedWidth(), binsAt() + bins.width());
  }

  /** Width of a row of {@link TaskTokens}: a token without its bins, which follow from the rest. */
  public int storedWidth() {
    return Math.max(PUBLISHED_WIDTH, binsAt());
  }

  private int binsAt() {
    int features = derived.isPresent() ? DerivedFeatures.COUNT : 0;
    features += work.isPresent() ? WorkFeatures.COUNT : 0;
    return kinds() + features;
  }

  /**
   * Writes a token as the network reads it.
   *
   * @param row of {@link TaskTokens}
   * @param target takes {@link #width} numbers from {@code at} on, zero so far
   */
  public void write(float[] row, float[] target, int at) {
    System.arraycopy(row, 0, target, at, row.length);
    if (derived.isPresent() && row[TokenKind.DERIVED.place()] == 1) {
      bins.apply(row, kinds(), target, at + binsAt());
    }
  }

  /** Index of the one-hot of the pattern's token; its features follow after {@link #kinds}. */
  public static int patternKind() {
    return TokenKind.SPARSE_FEATURE.place();
  }

  /**
   * Tokenises a task.
   *
   * @param counts of the matrix's pattern
   */
  public TaskTokens tokenize(
      PatternCounts counts, Problem problem, Collection<Schedule> schedules) {
    List<float[]> table = new ArrayList<>();
    Map<ByteBuffer, Integer> known = new HashMap<>();
    int[][] sequences = new int[schedules.size()][];
    if (work.isPresent()) {
      ScheduleWork.countAll(counts, problem, schedules);
    }
    int s = 0;
    for (Schedule schedule : schedules) {
      List<float[]> tokens = tokens(ScheduleGeometry.of(schedule, problem), counts);
      int[] sequence = new int[tokens.size()];
      for (int t = 0; t < sequence.length; t++) {
        float[] token = tokens.get(t);
        ByteBuffer key = ByteBuffer.allocate(4 * token.length);
        key.asFloatBuffer().put(token);
        Integer row = known.putIfAbsent(key, table.size());
        if (row == null) {
          row = table.size();
          table.add(token);
        }
        sequence[t] = row;
      }
      sequences[s++] = sequence;
    }
    return new TaskTokens(table.toArray(float[][]::new), sequences);
  }

  private List<float[]> tokens(ScheduleGeometry geometry, PatternCounts counts) {
    List<float[]> tokens = new ArrayList<>();
    if (form == TokenForm.PUBLISHED) {
      published(geometry, tokens);
    } else {
      normalized(geometry, tokens);
    }
    if (derived.isPresent()) {
      float[] token = new float[storedWidth()];
      token[TokenKind.DERIVED.place()] = 1;
      derived.get().apply(DerivedFeatures.of(geometry), token, kinds());
      if (work.isPresent()) {
        int at = kinds() + DerivedFeatures.COUNT;
        work.get().apply(WorkFeatures.of(geometry, counts), token, at);
      }
      tokens.add(token);
    }
    return tokens;
  }

  /** A token being filled from left to right. */
  private final class Row {
    private final float[] values = new float[storedWidth()];
    private int at = kinds();

    Row(TokenKind kind) {
      values[kind.place()] = 1;
    }

    Row raw(double value) {
      values[at++] = (float) value;
      return this;
    }

    Row size(long value) {
      return size((double) value);
    }

    Row size(double value) {
      return raw(DerivedFeatures.log(value) / 10);
    }

    /** One of {@code count}; none for a negative index. */
    Row oneOf(int count, int index) {
      if (index >= 0) {
        values[at + index] = 1;
      }
      at += count;
      return this;
    }

    Row word(String word) {
      int index = VOCABULARY.indexOf(word);
      if (index < 0) {
        throw new IllegalArgumentException("token name " + word + " is not in the vocabulary");
      }
      return raw(index);
    }
  }

  private void normalized(ScheduleGeometry geometry, List<float[]> tokens) {
    Schedule schedule = geometry.schedule();
    Problem problem = geometry.problem();
    Op op = problem.op();
    for (AxisSplit split : schedule.formatSplits()) {
      tokens.add(split(TokenKind.FSPLIT, problem, split).values);
    }
    for (StorageOrder order : schedule.storageOrders()) {
      Row row = new Row(TokenKind.FREORDER);
      order.axes().forEach(axis -> row.oneOf(Roles.SPARSE, Roles.of(op, axis)));
      tokens.add(row.values);
    }
    for (LevelModes tensor : schedule.levelModes()) {
      int[] modes = {-1, -1, -1, -1};
      tensor.modes().forEach(level -> modes[Roles.of(op, level.axis())] = level.mode().code());
      Row row = new Row(TokenKind.FMODE);
      for (int mode : modes) {
        row.oneOf(MODES, mode);
      }
      tokens.add(row.values);
    }
    for (AxisSplit split : schedule.loopSplits()) {
      tokens.add(split(TokenKind.LSPLIT, problem, split).values);
    }
    Row order = new Row(TokenKind.LREORDER);
    geometry.loops().forEach(loop -> order.oneOf(Roles.COUNT, Roles.of(op, loop)));
    order.at = kinds() + POSITIONS * Roles.COUNT;
    geometry.loops().forEach(loop -> order.size(loop.size()));
    tokens.add(order.values);
    tokens.add(mark(TokenKind.PARALLEL, op, schedule.parallelAxis()).values);
    tokens.add(
        mark(TokenKind.UNROLL, op, schedule.unrolledAxis()).size(schedule.unrollFactor()).values);
    tokens.add(mark(TokenKind.VECTOR, op, schedule.vectorizedAxis()).values);
    tokens.add(new Row(TokenKind.OPENMP).size(schedule.threads()).size(schedule.chunk()).values);
    tokens.add(
        new Row(TokenKind.SPARSE_INFO)
            .size(problem.rows())
            .size(problem.cols())
            .size(problem.nnz())
            .size((double) problem.nnz() / problem.rows())
            .size((double) problem.nnz() / problem.cols())
            .oneOf(Roles.OPS, Roles.operator(op))
            .values);
  }

  private Row split(TokenKind kind, Problem problem, AxisSplit split) {
    return new Row(kind)
        .oneOf(3, Roles.axis(problem.op(), split.axis()))
        .size(split.outerIterations(problem.extent(split.axis())))
        .size(split.innerSize());
  }

  private Row mark(TokenKind kind, Op op, Optional<String> axis) {
    return new Row(kind)
        .oneOf(Roles.COUNT, axis.map(name -> Roles.of(op, name)).orElse(-1))
        .raw(axis.isPresent() ? 0 : 1);
  }

  private void published(ScheduleGeometry geometry, List<float[]> tokens) {
    Schedule schedule = geometry.schedule();
    Problem problem = geometry.problem();
    for (AxisSplit split : schedule.formatSplits()) {
      tokens.add(publishedSplit(TokenKind.FSPLIT, split));
    }
    for (StorageOrder order : schedule.storageOrders()) {
      Row row = new Row(TokenKind.FREORDER).word(order.tensor());
      order.axes().forEach(row::word);
      tokens.add(row.values);
    }
    for (LevelModes tensor : schedule.levelModes()) {
      Row row = new Row(TokenKind.FMODE).word(tensor.tensor());
      tensor.modes().forEach(level -> row.word(level.axis()).raw(level.mode().code()));
      tokens.add(row.values);
    }
    for (AxisSplit split : schedule.loopSplits()) {
      tokens.add(publishedSplit(TokenKind.LSPLIT, split));
    }
    Row order = new Row(TokenKind.LREORDER);
    schedule.loopOrder().forEach(order::word);
    tokens.add(order.values);
    tokens.add(new Row(TokenKind.PARALLEL).word(schedule.parallelAxis().orElse("None")).values);
    tokens.add(
        new Row(TokenKind.UNROLL)
            .word(schedule.unrolledAxis().orElse("None"))
            .raw(schedule.unrollFactor())
            .values);
    tokens.add(new Row(TokenKind.VECTOR).word(schedule.vectorizedAxis().orElse("None")).values);
    tokens.add(new Row(TokenKind.OPENMP).raw(schedule.threads()).raw(schedule.chunk()).values);
    Row info = new Row(TokenKind.SPARSE_INFO);
    shapeScaling.apply(shape(problem), info.values, info.at);
    tokens.add(info.values);
  }

  private float[] publishedSplit(TokenKind kind, AxisSplit split) {
    return new Row(kind)
        .word(split.axis())
        .word(split.outer())
        .raw((double) split.outerSize())
        .word(split.inner())
        .raw((double) split.innerSize())
        .values;
  }

  /** Rows, columns, nnz and density, raw: what published tokens and WACO standardise. */
  public static float[] shape(Problem problem) {
    double cells = (double) problem.rows() * problem.cols();
    return new float[] {
      problem.rows(), problem.cols(), problem.nnz(), (float) (problem.nnz() / cells)
    };
  }
}
