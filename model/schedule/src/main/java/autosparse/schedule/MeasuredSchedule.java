package autosparse.schedule;

import java.util.regex.Pattern;

/**
 * A schedule and how long it took once.
 *
 * @param schedule the schedule
 * @param latencyMs milliseconds, more than 0
 * @param latencyText the latency as it stands in the file: the published files print a float's
 *     value as Python does, which {@link Double#toString} does not always repeat
 */
public record MeasuredSchedule(Schedule schedule, double latencyMs, String latencyText) {
  private static final Pattern NUMBER = Pattern.compile("[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?");

  /**
   * Throws {@link IllegalArgumentException} unless the latency is positive and is what the text
   * says.
   */
  public MeasuredSchedule {
    if (!NUMBER.matcher(latencyText).matches()
        || !(latencyMs > 0 && latencyMs < Double.POSITIVE_INFINITY)
        || Double.parseDouble(latencyText) != latencyMs) {
      throw new IllegalArgumentException(
          InputException.fieldMessage("latency", latencyText, "a time in milliseconds, above 0"));
    }
  }

  /** A latency just measured. */
  public static MeasuredSchedule of(Schedule schedule, double latencyMs) {
    return new MeasuredSchedule(schedule, latencyMs, Double.toString(latencyMs));
  }

  /** A latency read from a file. */
  static MeasuredSchedule of(Schedule schedule, String latencyText, SourceLocation source) {
    double latency = NUMBER.matcher(latencyText).matches() ? Double.parseDouble(latencyText) : 0;
    try {
      return new MeasuredSchedule(schedule, latency, latencyText);
    } catch (IllegalArgumentException malformed) {
      throw new InputException(source + ": " + malformed.getMessage(), malformed);
    }
  }

  /**
   * Reads a line of an AutoSparse record file.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public static MeasuredSchedule parse(String line, SourceLocation source) {
    return new ScheduleParser().parseMeasured(line, source);
  }

  /** The line as AutoSparse writes it: what {@link #parse} read, byte for byte. */
  public String encode() {
    return schedule.encode() + " " + latencyText;
  }
}
