package autosparse.tuner.format;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What one level of a packed matrix holds.
 *
 * @param name the axis after splitting, e.g. {@code i0}
 * @param axis the logical axis, e.g. {@code i}
 * @param extent coordinates of this level: 0 to extent - 1; ceil(axis / inner) for an outer part
 * @param stride what one step of the coordinate means on the logical axis: the inner size for an
 *     outer part, 1 otherwise. A nonzero's place on an axis is the sum of coordinate times stride
 *     over the levels of that axis
 * @param mode how it is stored
 */
public record LevelFormat(String name, String axis, long extent, long stride, Mode mode) {
  /** Throws {@link IllegalArgumentException} if extent or stride is not positive. */
  public LevelFormat {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(axis, "axis");
    Objects.requireNonNull(mode, "mode");
    if (extent < 1 || stride < 1) {
      throw new IllegalArgumentException(
          "level " + name + ": extent " + extent + ", stride " + stride + ", expected 1 or more");
    }
  }

  /**
   * The levels of A in storage order, outermost first.
   *
   * @throws IllegalArgumentException if the schedule is none for the operator
   */
  public static List<LevelFormat> of(Schedule schedule, Problem problem) {
    return ScheduleGeometry.of(schedule, problem).loops().stream()
        .filter(loop -> loop.level() >= 0)
        .sorted(Comparator.comparingInt(ScheduleGeometry.Loop::level))
        .map(
            loop ->
                new LevelFormat(
                    loop.name(),
                    loop.axis(),
                    loop.size(),
                    loop.part() == ScheduleGeometry.Part.OUTER
                        ? schedule.split(loop.axis()).orElseThrow().innerSize()
                        : 1,
                    loop.mode().orElseThrow()))
        .toList();
  }

  /** Whether the level lists coordinates below each parent: it has a position array. */
  public boolean isCompressed() {
    return mode == Mode.COMPRESSED || mode == Mode.COMPRESSED_NON_UNIQUE;
  }

  /** Whether the level has one coordinate per position of its parent. */
  public boolean isSingleton() {
    return mode == Mode.SINGLETON || mode == Mode.SINGLETON_NON_UNIQUE;
  }

  /**
   * The first level that cannot be stored: a singleton of several coordinates below positions that
   * may hold several nonzeros or none. (One of extent 1 has the same coordinate everywhere.)
   */
  public static Optional<LevelFormat> misplacedSingleton(List<LevelFormat> levels) {
    boolean single = false;
    for (LevelFormat level : levels) {
      if (level.isSingleton() && !single && level.extent() > 1) {
        return Optional.of(level);
      }
      single = level.single(single);
    }
    return Optional.empty();
  }

  /**
   * Whether every position of this level holds exactly one nonzero.
   *
   * @param parentSingle whether that holds for the level above; false at the root
   */
  public boolean single(boolean parentSingle) {
    return switch (mode) {
      case COMPRESSED_NON_UNIQUE -> true;
      case DENSE -> parentSingle && extent == 1;
      case COMPRESSED, SINGLETON, SINGLETON_NON_UNIQUE -> parentSingle;
    };
  }
}
