package autosparse.schedule;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What became of one schedule that was collected: one line of a record file of ours. It has times
 * or a failure, never both.
 *
 * @param op the operator
 * @param matrix the matrix's name
 * @param schedule the schedule
 * @param origin where it came from
 * @param milliseconds every timed run, in the order in which they were made; empty where it failed
 * @param relativeError largest error of the checked run; 0 where it failed
 * @param failure why it has no time; empty where it has
 */
public record Measurement(
    Op op,
    String matrix,
    Schedule schedule,
    Origin origin,
    List<Double> milliseconds,
    double relativeError,
    Optional<Reason> failure) {

  /** How a schedule came to be measured. */
  public enum Draw {
    /** Plain CSR: {@link Schedule#noOp}. */
    PLAIN,
    /** One of the formats and loops that people write by hand. */
    CLASSIC,
    /** Drawn from the whole space. */
    UNIFORM,
    /** Changed a little from one of the best so far. */
    MUTATION,
    /** Measured before, and again to know the noise. */
    REPEAT;

    /** Lower-case name, as in records. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Where a record came from. Worker, round and index together name it within its task.
   *
   * @param worker who measured it; one machine each
   * @param round the worker's round on this task, from 0
   * @param index place in the round, from 0
   * @param draw how the schedule was drawn
   * @param mutationShare share of mutations that rounds were asked to have
   */
  public record Origin(String worker, int round, int index, Draw draw, double mutationShare) {
    /** Throws {@link IllegalArgumentException} if a number is out of range. */
    public Origin {
      if (round < 0 || index < 0 || !(mutationShare >= 0 && mutationShare <= 1)) {
        throw new IllegalArgumentException(
            "round "
                + round
                + ", index "
                + index
                + ", mutation share "
                + mutationShare
                + ": expected numbers from 0 up, a share of at most 1");
      }
    }
  }

  /**
   * Why there is no time.
   *
   * @param kind lower-case name of the kind of failure, e.g. {@code storage_cap}
   * @param detail one line: the rule, the signal, the limit
   */
  public record Reason(String kind, String detail) {}

  /** Throws {@link IllegalArgumentException} unless there are times or a failure. */
  public Measurement {
    milliseconds = List.copyOf(milliseconds);
    if (milliseconds.isEmpty() == failure.isEmpty()) {
      throw new IllegalArgumentException(
          "times " + milliseconds + " ms, failure " + failure + ": expected one of the two");
    }
    for (double ms : milliseconds) {
      if (!(ms > 0 && ms < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("time " + ms + " ms, expected above 0");
      }
    }
    if (!(relativeError >= 0 && relativeError < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "relative error " + relativeError + ", expected a number from 0 up");
    }
  }

  /** Whether it has times. */
  public boolean isTimed() {
    return failure.isEmpty();
  }

  /** Median of the runs in milliseconds; NaN where it failed. */
  public double medianMs() {
    return Statistics.median(milliseconds.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
