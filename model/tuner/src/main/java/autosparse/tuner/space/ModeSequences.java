package autosparse.tuner.space;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Which modes A's levels may have, outermost first. Stricter than {@link
 * autosparse.schedule.Legality} in one point: a level of size 1 follows the same rules as any other
 * and is never a singleton.
 */
final class ModeSequences {
  private ModeSequences() {}

  /** Every legal choice of modes for a point's levels; never empty. */
  static List<Map<String, Mode>> all(SpacePoint point, Problem problem) {
    List<Map<String, Mode>> sequences = new ArrayList<>();
    extend(point, problem, point.levels(problem.op()), new LinkedHashMap<>(), sequences);
    return sequences;
  }

  private static void extend(
      SpacePoint point,
      Problem problem,
      List<String> levels,
      Map<String, Mode> sequence,
      List<Map<String, Mode>> found) {
    int place = sequence.size();
    if (place == levels.size()) {
      found.add(new LinkedHashMap<>(sequence));
      return;
    }
    Mode previous = place == 0 ? null : sequence.get(levels.get(place - 1));
    String level = levels.get(place);
    for (Mode mode :
        allowed(previous, place == levels.size() - 1, point.size(level, problem) == 1)) {
      sequence.put(level, mode);
      extend(point, problem, levels, sequence, found);
      sequence.remove(level);
    }
  }

  /**
   * The modes that a level may have.
   *
   * @param previous the mode of the level outside; null for the outermost level
   * @param last whether it is the innermost level
   * @param single whether it has one coordinate only
   */
  static List<Mode> allowed(Mode previous, boolean last, boolean single) {
    boolean afterFull = previous == null || previous == Mode.DENSE || previous == Mode.COMPRESSED;
    if (afterFull) {
      return List.of(Mode.DENSE, Mode.COMPRESSED, Mode.COMPRESSED_NON_UNIQUE);
    }
    if (previous == Mode.SINGLETON || single) {
      return List.of(Mode.COMPRESSED, Mode.COMPRESSED_NON_UNIQUE);
    }
    return List.of(
        Mode.COMPRESSED,
        Mode.COMPRESSED_NON_UNIQUE,
        last ? Mode.SINGLETON : Mode.SINGLETON_NON_UNIQUE);
  }

  /**
   * A point's own modes where they are legal, and others, drawn, where its levels have none or the
   * levels outside no longer allow them.
   */
  static SpacePoint repair(SpacePoint point, Problem problem, RandomGenerator random) {
    Op op = problem.op();
    List<String> levels = point.levels(op);
    Map<String, Mode> modes = new LinkedHashMap<>();
    Mode previous = null;
    for (int place = 0; place < levels.size(); place++) {
      String level = levels.get(place);
      List<Mode> allowed =
          allowed(previous, place == levels.size() - 1, point.size(level, problem) == 1);
      Mode mode = point.modes().get(level);
      if (mode == null || !allowed.contains(mode)) {
        mode = ScheduleSpace.pick(allowed, random);
      }
      modes.put(level, mode);
      previous = mode;
    }
    return point.withModes(modes);
  }
}
