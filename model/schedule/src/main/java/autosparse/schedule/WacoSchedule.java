package autosparse.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * WACO's schedule lines, to and from {@link Schedule} (reference "Schedules and data", section 2).
 *
 * <p>WACO numbers the parts of a split the other way round (x1 outer, x0 inner), calls SpMV's
 * column axis k, states inner sizes only and gives formats as 0 = compressed, 1 = uncompressed.
 * Here all axes have this project's names; the outer sizes are not stated; WACO's thread number
 * becomes {@link Schedule#threads()}; SDDMM's result has A's format. Nothing of a line is lost:
 * {@link #encode} prints it back byte for byte.
 */
public final class WacoSchedule {
  /** What the grammar takes for granted; it can say schedules that break the other rules. */
  private static final Set<Rule> NEEDED =
      Set.of(
          Rule.TENSORS,
          Rule.SPLIT_KIND,
          Rule.STORAGE_COMPLETE,
          Rule.LOOPS_COMPLETE,
          Rule.MARKS_ARE_LOOPS,
          Rule.STORAGE_FOLLOWS_LOOPS,
          Rule.SAME_FORMAT);

  private WacoSchedule() {}

  /**
   * Reads a schedule without a latency.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public static Schedule parse(Op op, String line, SourceLocation source) {
    Tokens tokens = new Tokens(line, source);
    Schedule schedule = schedule(op, tokens);
    tokens.end("chunk");
    return schedule;
  }

  /**
   * Reads a line of a record file: {@code SCHEDULE = MS}.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public static MeasuredSchedule parseMeasured(Op op, String line, SourceLocation source) {
    Tokens tokens = new Tokens(line, source);
    Schedule schedule = schedule(op, tokens);
    tokens.literal("sign before the latency", "=");
    String latency = tokens.next("latency");
    tokens.end("latency");
    return MeasuredSchedule.of(schedule, latency, source);
  }

  /**
   * WACO's line for a schedule.
   *
   * @throws IllegalArgumentException naming what WACO's grammar cannot say: a vectorised or
   *     unrolled loop, a mode other than dense and compressed, an axis that is not split, a storage
   *     order other than the loops'
   */
  public static String encode(Op op, Schedule schedule) {
    requireExpressible(op, schedule);
    List<String> words = new ArrayList<>();
    for (String axis : splitAxes(op)) {
      words.add(Long.toString(split(schedule, axis).innerSize()));
    }
    schedule.loopOrder().forEach(axis -> words.add(wacoName(op, axis)));
    LevelModes modes = schedule.levelModes().get(0);
    for (String level : levels(op)) {
      words.add(Integer.toString(formatFlag(modes, level)));
    }
    words.add(wacoName(op, schedule.parallelAxis().orElseThrow()));
    words.add(Integer.toString(schedule.threads()));
    words.add(Integer.toString(schedule.chunk()));
    return String.join(" ", words);
  }

  /** WACO's line for a measured schedule: what {@link #parseMeasured} read, byte for byte. */
  public static String encode(Op op, MeasuredSchedule measured) {
    return encode(op, measured.schedule()) + " = " + measured.latencyText();
  }

  /** The split axes in the order of WACO's line: the dense one last. */
  static List<String> splitAxes(Op op) {
    return op.axes();
  }

  /** A's levels in the order of WACO's format flags: outer before inner, rows before columns. */
  static List<String> levels(Op op) {
    List<String> levels = new ArrayList<>();
    for (String axis : op.sparseAxes()) {
      levels.add(Axis.part(axis, 0));
      levels.add(Axis.part(axis, 1));
    }
    return levels;
  }

  /**
   * All loops in WACO's fixed order of variables: {@link #levels}, then those of the dense axis.
   */
  static List<String> variables(Op op) {
    List<String> variables = new ArrayList<>(levels(op));
    op.denseAxis()
        .ifPresent(
            axis -> {
              variables.add(Axis.part(axis, 0));
              variables.add(Axis.part(axis, 1));
            });
    return variables;
  }

  /** 0 = compressed, 1 = uncompressed. */
  static int formatFlag(LevelModes modes, String level) {
    Optional<Mode> mode = modes.mode(level);
    if (mode.isPresent() && mode.get() == Mode.COMPRESSED) {
      return 0;
    }
    if (mode.isPresent() && mode.get() == Mode.DENSE) {
      return 1;
    }
    throw new IllegalArgumentException(
        "WACO has no format for level "
            + level
            + ", "
            + mode.map(Mode::name).orElse("which has no mode"));
  }

  static AxisSplit split(Schedule schedule, String axis) {
    return schedule
        .split(axis)
        .orElseThrow(() -> new IllegalArgumentException("WACO needs axis " + axis + " split"));
  }

  private static Schedule schedule(Op op, Tokens tokens) {
    List<AxisSplit> formatSplits = new ArrayList<>();
    List<AxisSplit> loopSplits = new ArrayList<>();
    for (String axis : splitAxes(op)) {
      int inner = tokens.number("inner size of " + axis, 1);
      if (Integer.bitCount(inner) != 1) {
        throw tokens.wrong("inner size of " + axis, inner, "a power of two");
      }
      (op.isSparse(axis) ? formatSplits : loopSplits).add(new AxisSplit(axis, 0, inner));
    }
    List<String> variables = variables(op);
    List<String> loops = new ArrayList<>();
    for (int position = 0; position < variables.size(); position++) {
      String loop = loop(op, tokens, "loop " + position);
      if (loops.contains(loop)) {
        throw tokens.wrong("loop " + position, wacoName(op, loop), "each loop once");
      }
      loops.add(loop);
    }
    List<String> levels = levels(op);
    List<LevelModes.AxisMode> modes = new ArrayList<>();
    for (String level : levels) {
      String field = "format of " + wacoName(op, level);
      int flag = tokens.number(field, 0);
      if (flag > 1) {
        throw tokens.wrong(field, flag, "0 (compressed) or 1 (uncompressed)");
      }
      modes.add(new LevelModes.AxisMode(level, flag == 0 ? Mode.COMPRESSED : Mode.DENSE));
    }
    String parallel = loop(op, tokens, "parallel axis");
    int threads = tokens.number("threads", 1);
    int chunk = tokens.number("chunk", 1);
    List<String> stored = loops.stream().filter(levels::contains).toList();
    return new Schedule(
        formatSplits,
        op.sparseTensors().stream().map(tensor -> new StorageOrder(tensor, stored)).toList(),
        op.sparseTensors().stream().map(tensor -> new LevelModes(tensor, modes)).toList(),
        loopSplits,
        loops,
        Optional.of(parallel),
        Optional.empty(),
        Optional.empty(),
        0,
        threads,
        chunk);
  }

  private static String loop(Op op, Tokens tokens, String field) {
    String word = tokens.next(field);
    for (String variable : variables(op)) {
      if (wacoName(op, variable).equals(word)) {
        return variable;
      }
    }
    List<String> names = variables(op).stream().map(axis -> wacoName(op, axis)).toList();
    throw tokens.wrong(field, word, "one of " + names);
  }

  /** WACO's name of a loop: the parts numbered the other way round, and k for SpMV's columns. */
  private static String wacoName(Op op, String loop) {
    String axis = Op.logicalAxis(loop);
    String letter = op == Op.SPMV && axis.equals(op.columnAxis()) ? "k" : axis;
    return letter + (loop.endsWith("0") ? "1" : "0");
  }

  /** Throws {@link IllegalArgumentException} if WACO's grammar has no words for the schedule. */
  static void requireExpressible(Op op, Schedule schedule) {
    for (Legality.Violation violation : Legality.check(schedule, op)) {
      if (NEEDED.contains(violation.rule())) {
        throw new IllegalArgumentException("WACO cannot express: " + violation);
      }
    }
    splitAxes(op).forEach(axis -> split(schedule, axis));
    levels(op).forEach(level -> formatFlag(schedule.levelModes().get(0), level));
    require(!schedule.loopOrder().isEmpty(), "an implicit loop order");
    require(schedule.parallelAxis().isPresent(), "no parallel axis");
    require(schedule.vectorizedAxis().isEmpty(), "a vectorised axis");
    require(schedule.unrolledAxis().isEmpty(), "an unrolled axis");
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException("WACO cannot express " + what);
    }
  }
}
