package autosparse.tuner.measure;

/**
 * How often and how long a kernel runs. Its first run is the one that is checked; then come the
 * warm-up runs, then timed runs until there are enough of them and they took long enough together.
 *
 * @param warmups runs that are not timed, after the checked one
 * @param minRuns timed runs at least, unless {@code maxTotalMs} is used up
 * @param maxRuns timed runs at most, whatever they take together
 * @param minTotalMs time of all timed runs at least, milliseconds
 * @param maxTotalMs time since the start of the checked run after which no warm-up and no further
 *     timed run starts, milliseconds; there is always one timed run
 * @param maxMs longest that one run may take, milliseconds: a kernel that takes longer is killed
 */
public record TimingSettings(
    int warmups, int minRuns, int maxRuns, double minTotalMs, double maxTotalMs, double maxMs) {
  /** Most timed runs that may be asked for: an answer with all of them stays below 2 MB. */
  public static final int MAX_RUNS = 100_000;

  /** Throws {@link IllegalArgumentException} naming the setting that is out of range. */
  public TimingSettings {
    SettingChecks.atLeast("warm-up runs", warmups, 0);
    SettingChecks.atLeast("runs", minRuns, 1);
    SettingChecks.between("most runs", maxRuns, minRuns, MAX_RUNS);
    SettingChecks.between("total time in ms", minTotalMs, 0, 1e7);
    SettingChecks.between("longest total time in ms", maxTotalMs, 0, 1e7);
    SettingChecks.between("longest time in ms", maxMs, 1, 1e7);
  }

  /** All runs together may take as long as one. */
  public TimingSettings(int warmups, int minRuns, int maxRuns, double minTotalMs, double maxMs) {
    this(warmups, minRuns, maxRuns, minTotalMs, maxMs, maxMs);
  }

  /**
   * One warm-up, 5 to 200 runs, 20 ms together but not beyond 500 ms, 2 s for one run. So the fast
   * schedules, on which everything depends, are timed well, and the slow ones are timed once.
   */
  public static TimingSettings defaults() {
    return new TimingSettings(1, 5, 200, 20, 500, 2000);
  }
}
