package autosparse.tuner.space;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** A small change of a schedule. */
enum Mutation {
  /** Another inner size for one axis; half the time the next smaller or larger one. */
  INNER_SIZE {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      String axis = ScheduleSpace.pick(problem.op().axes(), random);
      List<Long> sizes = ScheduleSpace.innerSizes(problem.extent(axis));
      long before = point.innerSizes().getOrDefault(axis, ScheduleSpace.WHOLE);
      int place = sizes.indexOf(before);
      long after =
          ScheduleSpace.coin(random) && place >= 0
              ? sizes.get(neighbour(place, sizes.size(), random))
              : ScheduleSpace.pick(sizes, random);
      Map<String, Long> innerSizes = new HashMap<>(point.innerSizes());
      List<String> loops = new ArrayList<>(point.loops());
      Map<String, Mode> modes = new HashMap<>(point.modes());
      if (after == ScheduleSpace.WHOLE) {
        innerSizes.remove(axis);
        if (before != ScheduleSpace.WHOLE) {
          loops.set(loops.indexOf(axis + "0"), axis);
          loops.remove(axis + "1");
          rename(modes, axis + "0", axis);
          modes.remove(axis + "1");
        }
      } else {
        innerSizes.put(axis, after);
        if (before == ScheduleSpace.WHOLE) {
          int outer = loops.indexOf(axis);
          loops.set(outer, axis + "0");
          loops.add(outer + 1 + ScheduleSpace.below(loops.size() - outer, random), axis + "1");
          rename(modes, axis, axis + "0");
        }
      }
      return new SpacePoint(
          innerSizes,
          loops,
          modes,
          point.parallel(),
          point.vectorized(),
          point.unrolled(),
          point.chunk());
    }
  },
  /** Two loops change places. */
  SWAP_LOOPS {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      List<String> loops = new ArrayList<>(point.loops());
      Collections.swap(
          loops,
          ScheduleSpace.below(loops.size(), random),
          ScheduleSpace.below(loops.size(), random));
      return point.withLoops(loops);
    }
  },
  /** One loop goes elsewhere. */
  MOVE_LOOP {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      List<String> loops = new ArrayList<>(point.loops());
      String loop = loops.remove(ScheduleSpace.below(loops.size(), random));
      loops.add(ScheduleSpace.below(loops.size() + 1, random), loop);
      return point.withLoops(loops);
    }
  },
  /** One level of A is stored otherwise. */
  MODE {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      List<String> levels = point.levels(problem.op());
      int place = ScheduleSpace.below(levels.size(), random);
      Mode previous = place == 0 ? null : point.modes().get(levels.get(place - 1));
      String level = levels.get(place);
      List<Mode> allowed =
          new ArrayList<>(
              ModeSequences.allowed(
                  previous, place == levels.size() - 1, point.size(level, problem) == 1));
      allowed.remove(point.modes().get(level));
      Map<String, Mode> modes = new HashMap<>(point.modes());
      modes.put(level, ScheduleSpace.pick(allowed, random));
      return point.withModes(modes);
    }
  },
  /** One mark is switched on or off. */
  MARK {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      int mark = ScheduleSpace.below(3, random);
      return point.withMarks(
          point.parallel() ^ (mark == 0),
          point.vectorized() ^ (mark == 1),
          point.unrolled() ^ (mark == 2));
    }
  },
  /** The chunk is doubled or halved. */
  CHUNK {
    @Override
    SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random) {
      boolean mayGrow = point.chunk() < ScheduleSpace.MAX_CHUNK;
      boolean grows = point.chunk() == 1 || (mayGrow && ScheduleSpace.coin(random));
      return point.withChunk(grows ? point.chunk() * 2 : point.chunk() / 2);
    }
  };

  private static final List<Mutation> ALL = List.of(values());

  /** Draws a kind of change. */
  static Mutation pick(RandomGenerator random) {
    return ScheduleSpace.pick(ALL, random);
  }

  /** Makes the change; the result may be illegal in its modes or the order of its loops. */
  abstract SpacePoint move(SpacePoint point, Problem problem, RandomGenerator random);

  /** Makes the change and puts right what it made illegal. */
  Schedule apply(SpacePoint point, Problem problem, RandomGenerator random, int threads) {
    SpacePoint moved = move(point, problem, random);
    List<String> loops = new ArrayList<>(moved.loops());
    ScheduleSpace.orderParts(loops);
    return ModeSequences.repair(moved.withLoops(loops), problem, random)
        .toSchedule(problem, threads);
  }

  /** Another mode for the outermost level of A. */
  static SpacePoint ofRoot(SpacePoint point, Problem problem, RandomGenerator random) {
    String root = point.levels(problem.op()).get(0);
    List<Mode> allowed = new ArrayList<>(ModeSequences.allowed(null, false, false));
    allowed.remove(point.modes().get(root));
    Map<String, Mode> modes = new HashMap<>(point.modes());
    modes.put(root, ScheduleSpace.pick(allowed, random));
    return ModeSequences.repair(point.withModes(modes), problem, random);
  }

  private static int neighbour(int place, int count, RandomGenerator random) {
    if (place == 0 || place == count - 1) {
      return place == 0 ? 1 : place - 1;
    }
    return ScheduleSpace.coin(random) ? place + 1 : place - 1;
  }

  private static void rename(Map<String, Mode> modes, String from, String to) {
    Mode mode = modes.remove(from);
    if (mode != null) {
      modes.put(to, mode);
    }
  }
}
