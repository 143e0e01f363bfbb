package autosparse.tuner.measure;

/**
 * How often and how long a kernel runs. Its first run is the one that is checked; then come the
 * warm-up runs, then timed runs until there are enough of them and they took long enough together.
 *
 * @param warmups runs that are not timed, after the checked one
 * @param minRuns timed runs at least, unless {@code maxMs} is used up
 * @param maxRuns timed runs at most, whatever they take together
 * @param minTotalMs time of all timed runs at least, milliseconds
 * @param maxMs longest that one run may take, and after which warming up and timing end with what
 *     they have (at least one timed run), milliseconds
 */
public record TimingSettings(
    int warmups, int minRuns, int maxRuns, double minTotalMs, double maxMs) {
  /** Most timed runs that may be asked for: an answer with all of them stays below 2 MB. */
  public static final int MAX_RUNS = 100_000;

  /** Throws {@link IllegalArgumentException} naming the setting that is out of range. */
  public TimingSettings {
    SettingChecks.atLeast("warm-up runs", warmups, 0);
    SettingChecks.atLeast("runs", minRuns, 1);
    SettingChecks.between("most runs", maxRuns, minRuns, MAX_RUNS);
    SettingChecks.between("total time in ms", minTotalMs, 0, 1e7);
    SettingChecks.between("longest time in ms", maxMs, 1, 1e7);
  }

  /** One warm-up, 5 to 200 runs, 20 ms together, 2 s at most. */
  public static TimingSettings defaults() {
    return new TimingSettings(1, 5, 200, 20, 2000);
  }
}
