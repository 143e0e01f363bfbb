package autosparse.tuner.codegen;

import autosparse.schedule.AxisSplit;
import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import java.util.List;
import java.util.Optional;

/**
 * The loops that a schedule means for an operator, outermost first, and how the result comes
 * together in them. What {@link KernelEmitter} writes as C and {@link LoopNestPrinter} for people.
 *
 * <p>Loops over levels of A walk the packed matrix: they know a position, and read or compute a
 * coordinate. Nothing here counts on A having two axes.
 *
 * @param problem operator and extents
 * @param schedule what the loops were made from
 * @param loops outermost first
 * @param accumulation how the result comes together
 */
public record LoopNest(
    Problem problem, Schedule schedule, List<Loop> loops, Accumulation accumulation) {

  /** What a loop runs over. */
  public enum Kind {
    /** A level of A that has every coordinate. */
    DENSE_LEVEL("dense level"),
    /** A level of A that lists coordinates. */
    COMPRESSED_LEVEL("compressed level"),
    /** A level of A with one coordinate per parent: no loop, but a step down. */
    SINGLETON("singleton"),
    /** An axis that A does not have. */
    DENSE_AXIS("dense axis");

    private final String words;

    Kind(String words) {
      this.words = words;
    }

    /** In words: {@code dense level}. */
    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * One loop.
   *
   * @param kind what it runs over
   * @param shape its name, axis, size and marks
   * @param innerSize inner size of the split that it is a part of; 1 where its axis is whole
   */
  public record Loop(Kind kind, ScheduleGeometry.Loop shape, long innerSize) {
    /** The axis after splitting, e.g. {@code i0}. */
    public String name() {
      return shape.name();
    }

    /** The logical axis, e.g. {@code i}. */
    public String axis() {
      return shape.axis();
    }

    /** Whether the axis is summed over. */
    public boolean reduction() {
      return shape.reduction();
    }

    /** Whether threads share it. */
    public boolean parallel() {
      return shape.parallel();
    }

    /** Whether this loop gives its logical axis its coordinate: the inner part, or the whole. */
    public boolean completesAxis() {
      return shape.part() != ScheduleGeometry.Part.OUTER;
    }

    private static Loop of(ScheduleGeometry.Loop shape, Schedule schedule) {
      long innerSize = schedule.split(shape.axis()).map(AxisSplit::innerSize).orElse(1L);
      return new Loop(kind(shape.mode()), shape, innerSize);
    }

    private static Kind kind(Optional<Mode> mode) {
      if (mode.isEmpty()) {
        return Kind.DENSE_AXIS;
      }
      return switch (mode.get()) {
        case DENSE -> Kind.DENSE_LEVEL;
        case COMPRESSED, COMPRESSED_NON_UNIQUE -> Kind.COMPRESSED_LEVEL;
        case SINGLETON, SINGLETON_NON_UNIQUE -> Kind.SINGLETON;
      };
    }
  }

  /** Copies the list. */
  public LoopNest {
    loops = List.copyOf(loops);
  }

  /**
   * The rule that keeps a schedule from being compiled, in one line: its name, the values and what
   * must hold; empty if there is none.
   */
  public static Optional<String> refusal(Schedule schedule, Problem problem) {
    return GeneratorRule.refusal(schedule, problem);
  }

  /**
   * Works out the loops of a schedule.
   *
   * @throws IllegalArgumentException if the schedule is refused, see {@link #refusal}
   */
  public static LoopNest of(Schedule schedule, Problem problem) {
    refusal(schedule, problem)
        .ifPresent(
            rule -> {
              throw new IllegalArgumentException(rule);
            });
    List<Loop> loops =
        ScheduleGeometry.of(schedule, problem).loops().stream()
            .map(shape -> Loop.of(shape, schedule))
            .toList();
    return new LoopNest(problem, schedule, loops, Accumulation.of(problem.op(), loops));
  }

  /** The loop that runs over A's last level, whose positions A's values have. */
  int lastLevelDepth() {
    int depth = 0;
    for (int d = 0; d < loops.size(); d++) {
      if (loops.get(d).kind() != Kind.DENSE_AXIS) {
        depth = d;
      }
    }
    return depth;
  }

  /** Whether the innermost loop is vectorised; atomic updates cannot be. */
  boolean isVectorized(Loop loop) {
    return loop.shape().vectorized() && accumulation.update() != Accumulation.Update.ATOMIC_ADD;
  }
}
