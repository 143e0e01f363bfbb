package autosparse.tuner.codegen;

import autosparse.schedule.Legality;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.tuner.format.LevelFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the code generator asks of a schedule beyond {@link Legality}: conditions of packing and of
 * the C compiler.
 */
public enum GeneratorRule {
  /** One coordinate per parent has to be enough. */
  SINGLETON_PARENT(
      "a singleton level of more than one coordinate lies where each position holds one nonzero"),
  /** Coordinates are 32 bit. */
  PADDED_EXTENT("outer times inner size of a sparse axis is below 2^31"),
  /** GCC takes no more. */
  UNROLL_LIMIT("the unroll factor is at most 65534"),
  /** More threads than any machine has end the process when they cannot be made. */
  THREAD_LIMIT("at most 1024 threads");

  private static final long MAX_EXTENT = Integer.MAX_VALUE;
  private static final int MAX_UNROLL = 65534;
  private static final int MAX_THREADS = 1024;

  private final String description;

  GeneratorRule(String description) {
    this.description = description;
  }

  /** What must hold, as a clause. */
  public String description() {
    return description;
  }

  /** The first rule that a schedule breaks, of the language's or of these, with the values. */
  static Optional<String> refusal(Schedule schedule, Problem problem) {
    List<Legality.Violation> violations = Legality.check(schedule, problem);
    if (!violations.isEmpty()) {
      return Optional.of(violations.get(0).toString());
    }
    List<LevelFormat> levels = LevelFormat.of(schedule, problem);
    Optional<LevelFormat> singleton = LevelFormat.misplacedSingleton(levels);
    if (singleton.isPresent()) {
      String modes =
          levels.stream()
              .map(level -> level.name() + " " + level.mode().letter())
              .collect(Collectors.joining(", "));
      return Optional.of(SINGLETON_PARENT.broken(singleton.get().name() + " in levels " + modes));
    }
    for (LevelFormat level : levels) {
      if (level.extent() > MAX_EXTENT / level.stride()) {
        return Optional.of(
            PADDED_EXTENT.broken(level.name() + " of " + level.extent() + " x " + level.stride()));
      }
    }
    if (schedule.unrollFactor() > MAX_UNROLL) {
      return Optional.of(UNROLL_LIMIT.broken(Integer.toString(schedule.unrollFactor())));
    }
    if (schedule.threads() > MAX_THREADS) {
      return Optional.of(THREAD_LIMIT.broken(Integer.toString(schedule.threads())));
    }
    return Optional.empty();
  }

  private String broken(String values) {
    return this + ": " + values + " (" + description + ")";
  }
}
