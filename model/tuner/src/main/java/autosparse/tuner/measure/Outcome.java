package autosparse.tuner.measure;

import java.util.List;

/** What became of one schedule that was to be measured. */
public sealed interface Outcome {
  /**
   * It ran and its result was right.
   *
   * @param milliseconds every timed run, in the order in which they were made; at least one
   * @param relativeError largest error of the checked run
   */
  record Timed(List<Double> milliseconds, double relativeError) implements Outcome {
    /** Throws {@link IllegalArgumentException} if there is no time or one is not positive. */
    public Timed {
      milliseconds = List.copyOf(milliseconds);
      if (milliseconds.isEmpty() || milliseconds.stream().anyMatch(ms -> !(ms > 0))) {
        throw new IllegalArgumentException(
            "times " + milliseconds + " ms: expected one or more, all positive");
      }
    }
  }

  /**
   * It has no time.
   *
   * @param failure why
   * @param detail one line: the rule, the signal, the compiler's first error, the limit
   */
  record Failed(Failure failure, String detail) implements Outcome {}
}
