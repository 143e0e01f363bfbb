package autosparse.tuner.collect;

import autosparse.schedule.InputException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What is collected, apart from the matrices and operators.
 *
 * @param schedules different schedules for each task
 * @param roundSize of them in a round; what one round learns, the next uses
 * @param mutationShare share of mutations of the best so far in rounds after the first
 * @param repeatShare schedules measured again in rounds after the first, as a share of the round's
 *     new ones and on top of them
 * @param threads number of threads that every schedule asks for
 * @param seed of all draws
 * @param worker name of this machine's part of the collection; part of the seed, so that workers
 *     draw different schedules
 */
public record CollectSettings(
    int schedules,
    int roundSize,
    double mutationShare,
    double repeatShare,
    int threads,
    long seed,
    String worker) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  /** Throws {@link InputException} naming the option that is out of range. */
  public CollectSettings {
    require(schedules >= 1, "--schedules", schedules, "1 or more");
    require(roundSize >= 1, "--round", roundSize, "1 or more");
    require(mutationShare >= 0 && mutationShare <= 1, "--mutations", mutationShare, "0 to 1");
    require(repeatShare >= 0 && repeatShare <= 1, "--repeats", repeatShare, "0 to 1");
    require(threads >= 1, "--threads", threads, "1 or more");
    require(
        NAME.matcher(worker).matches(),
        "--worker",
        worker,
        "letters, digits, dots, dashes and underscores");
  }

  private static void require(boolean holds, String option, Object value, String expected) {
    if (!holds) {
      throw new InputException(
          option + ": " + InputException.quote(String.valueOf(value)) + ", expected " + expected);
    }
  }

  /** What a collection cannot change once it has begun, by option. */
  Map<String, String> fixed() {
    Map<String, String> fixed = new LinkedHashMap<>();
    fixed.put("round", String.valueOf(roundSize));
    fixed.put("mutations", String.valueOf(mutationShare));
    fixed.put("repeats", String.valueOf(repeatShare));
    fixed.put("threads", String.valueOf(threads));
    fixed.put("seed", String.valueOf(seed));
    return fixed;
  }
}
