package autosparse.schedule;

/**
 * What became of the lines of record files.
 *
 * @param lines lines read
 * @param failed of them, those of schedules that were tried and have no time
 * @param dropped of them, those at or over the latency limit
 * @param merged of them, those whose schedule had been seen before in the task
 * @param unique schedules that remain; {@code lines = failed + dropped + merged + unique}
 */
public record Counts(long lines, long failed, long dropped, long merged, long unique) {
  /** No lines. */
  public static final Counts NONE = new Counts(0, 0, 0, 0, 0);

  /** Throws {@link IllegalArgumentException} if the sum does not hold. */
  public Counts {
    if (lines != failed + dropped + merged + unique) {
      throw new IllegalArgumentException(
          lines
              + " lines are not "
              + failed
              + " failed + "
              + dropped
              + " dropped + "
              + merged
              + " merged + "
              + unique
              + " unique");
    }
  }

  /** The sum of both. */
  public Counts plus(Counts other) {
    return new Counts(
        lines + other.lines,
        failed + other.failed,
        dropped + other.dropped,
        merged + other.merged,
        unique + other.unique);
  }
}
