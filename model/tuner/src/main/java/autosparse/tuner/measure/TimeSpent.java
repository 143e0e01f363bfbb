package autosparse.tuner.measure;

import java.util.Locale;

/**
 * Where the time of measuring went. Packing and compiling run in parallel: their own times are sums
 * over all workers, and {@code prepareNanos} is what they took together by the clock. The rest runs
 * one at a time.
 *
 * @param schedules outcomes reported
 * @param timed those that have a time
 * @param compiled kernels translated
 * @param cached kernels found in the cache
 * @param restarts times that the runner was started, the first time included
 * @param packNanos refusing, packing, writing packed files and generating code, all workers
 * @param compileNanos compiler calls, all workers
 * @param prepareNanos packing and compiling together, by the clock
 * @param loadNanos starting the runner, reference results, loading packed matrices and kernels
 * @param checkNanos the checked runs and comparing results
 * @param runNanos warm-up and timed runs
 * @param lostNanos runs that ended their process: time-outs, crashes
 * @param totalNanos all of {@link ScheduleMeasurer#measure}, by the clock
 */
public record TimeSpent(
    long schedules,
    long timed,
    long compiled,
    long cached,
    long restarts,
    long packNanos,
    long compileNanos,
    long prepareNanos,
    long loadNanos,
    long checkNanos,
    long runNanos,
    long lostNanos,
    long totalNanos) {

  /** Schedules measured per minute; 0 before there is one. */
  public double schedulesPerMinute() {
    return totalNanos == 0 ? 0 : schedules * 60e9 / totalNanos;
  }

  /** What is in none of the parts: talking to the runner, the listener. */
  public long otherNanos() {
    return totalNanos - prepareNanos - loadNanos - checkNanos - runNanos - lostNanos;
  }

  /** One line. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%d schedules (%d timed) in %.1f s, %.0f a minute: prepare %.1f s (pack %.1f s, compile %.1f"
            + " s over all workers; %d compiled, %d cached), load %.1f s (%d starts), check %.1f s,"
            + " run %.1f s, lost %.1f s, other %.1f s",
        schedules,
        timed,
        seconds(totalNanos),
        schedulesPerMinute(),
        seconds(prepareNanos),
        seconds(packNanos),
        seconds(compileNanos),
        compiled,
        cached,
        seconds(loadNanos),
        restarts,
        seconds(checkNanos),
        seconds(runNanos),
        seconds(lostNanos),
        seconds(otherNanos()));
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
