package autosparse.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads AutoSparse's encoding. Strict: single spaces, plain decimal numbers, nothing before or
 * after, so that what it accepts {@link Schedule#encode()} prints back byte for byte.
 *
 * <p>One parser shares equal parts between the schedules it reads, which makes a data set some five
 * times smaller in memory. Not thread-safe.
 */
public final class ScheduleParser {
  /**
   * A schedule and what followed it.
   *
   * @param schedule the schedule
   * @param latency the latency's text, in milliseconds, if there was one
   */
  public record Line(Schedule schedule, Optional<String> latency) {}

  private final Map<Object, Object> shared = new HashMap<>();

  /** Makes a parser with nothing shared yet. */
  public ScheduleParser() {}

  /**
   * Reads a line that is a schedule alone.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public Schedule parse(String line, SourceLocation source) {
    Line parsed = parseLine(line, source);
    if (parsed.latency().isPresent()) {
      throw InputException.field(
          source, "end of line", parsed.latency().get(), "nothing after the chunk");
    }
    return parsed.schedule();
  }

  /**
   * Reads a line that is a schedule and its latency.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public MeasuredSchedule parseMeasured(String line, SourceLocation source) {
    Line parsed = parseLine(line, source);
    if (parsed.latency().isEmpty()) {
      throw InputException.field(source, "latency", "", "a time in milliseconds after the chunk");
    }
    return MeasuredSchedule.of(parsed.schedule(), parsed.latency().get(), source);
  }

  /**
   * Reads a line that is a schedule, with or without a latency.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public Line parseLine(String line, SourceLocation source) {
    Tokens tokens = new Tokens(line, source);
    List<AxisSplit> formatSplits = splits(tokens, "format splits");
    int tensors = tokens.count("storage orders");
    List<StorageOrder> orders = new ArrayList<>(tensors);
    for (int t = 0; t < tensors; t++) {
      String tensor = tokens.name("storage order tensor");
      orders.add(share(new StorageOrder(tensor, names(tokens, "storage order of " + tensor))));
    }
    List<LevelModes> modes = new ArrayList<>(tensors);
    for (int t = 0; t < tensors; t++) {
      modes.add(modes(tokens));
    }
    List<AxisSplit> loopSplits = splits(tokens, "loop splits");
    List<String> loopOrder = share(names(tokens, "loop order"));
    Optional<String> parallel = axisOrNone(tokens, "parallel axis");
    Optional<String> vectorized = axisOrNone(tokens, "vectorized axis");
    Optional<String> unrolled = axisOrNone(tokens, "unrolled axis");
    int factor = tokens.number("unroll factor", 0);
    int threads = tokens.number("threads", 1);
    int chunk = tokens.number("chunk", 1);
    Optional<String> latency =
        tokens.hasNext() ? Optional.of(tokens.next("latency")) : Optional.empty();
    tokens.end("latency");
    try {
      Schedule schedule =
          new Schedule(
              share(List.copyOf(formatSplits)),
              share(List.copyOf(orders)),
              share(List.copyOf(modes)),
              share(List.copyOf(loopSplits)),
              loopOrder,
              parallel,
              vectorized,
              unrolled,
              factor,
              threads,
              chunk);
      return new Line(schedule, latency);
    } catch (IllegalArgumentException contradiction) {
      throw new InputException(source + ": " + contradiction.getMessage(), contradiction);
    }
  }

  private List<AxisSplit> splits(Tokens tokens, String field) {
    int count = tokens.count(field);
    List<AxisSplit> splits = new ArrayList<>(count);
    for (int s = 0; s < count; s++) {
      String axis = tokens.name("split axis");
      tokens.literal("parts of split " + axis, "2");
      tokens.literal("outer part of split " + axis, axis + "0");
      long outer = tokens.number(axis + "0 size", 0);
      tokens.literal("inner part of split " + axis, axis + "1");
      long inner = tokens.number(axis + "1 size", 1);
      splits.add(share(new AxisSplit(axis, outer, inner)));
    }
    return splits;
  }

  private LevelModes modes(Tokens tokens) {
    String tensor = tokens.name("mode tensor");
    int count = tokens.count("modes of " + tensor);
    List<LevelModes.AxisMode> modes = new ArrayList<>(count);
    for (int m = 0; m < count; m++) {
      String axis = tokens.name("mode axis");
      int code = tokens.number("mode of " + axis, 0);
      if (code > 4) {
        throw tokens.wrong(
            "mode of " + axis,
            code,
            "0 (dense), 1 (compressed), 2 (compressed non-unique), 3 (singleton) or 4 (singleton"
                + " non-unique)");
      }
      modes.add(share(new LevelModes.AxisMode(axis, Mode.ofCode(code))));
    }
    return share(new LevelModes(tensor, modes));
  }

  private static List<String> names(Tokens tokens, String field) {
    int count = tokens.count(field);
    List<String> names = new ArrayList<>(count);
    for (int a = 0; a < count; a++) {
      names.add(tokens.name(field));
    }
    return List.copyOf(names);
  }

  private Optional<String> axisOrNone(Tokens tokens, String field) {
    String token = tokens.next(field);
    if (token.equals("None")) {
      return Optional.empty();
    }
    if (!Axis.isName(token)) {
      throw tokens.wrong(field, token, "an axis or None");
    }
    return share(Optional.of(token));
  }

  /** The first value equal to this one that came by: nearly all parts of schedules repeat. */
  @SuppressWarnings("unchecked") // An equal value found under itself has its own type.
  private <T> T share(T value) {
    Object first = shared.putIfAbsent(value, value);
    return first == null ? value : (T) first;
  }
}
