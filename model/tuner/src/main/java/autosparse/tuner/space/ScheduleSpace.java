package autosparse.tuner.space;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * AutoSparse's space of formats and schedules for a problem, to draw from and to walk in.
 *
 * <p>Free choices: for each axis, left whole or split with an inner size of 1, 2, 4 … 256 that its
 * extent holds; the loop order, outer before inner; the modes of A's levels, of those that {@link
 * autosparse.schedule.Legality} allows, singletons never on a level of size 1; parallel, vectorised
 * and unrolled, each on or off; the chunk, 1, 2, 4 … 512. What follows from them: the storage order
 * is the loop order restricted to A; parallel is the first loop that is no reduction and no
 * singleton, vectorised the innermost where it is dense and no reduction, unrolled the longest
 * dense loop left (reference "Schedules and data", section 1). Two things differ from what is
 * published: axes may be whole, and the unroll factor is 16 at most.
 *
 * <p>Every schedule returned is legal, in canonical order and carries the published outer sizes.
 */
public final class ScheduleSpace {
  /** Largest inner size of a split. */
  public static final int MAX_INNER = 256;

  /** Largest chunk. */
  public static final int MAX_CHUNK = 512;

  /**
   * A move that changes nothing (a mark that no loop can take) is followed by another, so often.
   */
  private static final int TRIES = 64;

  private ScheduleSpace() {}

  /**
   * Draws a schedule: inner sizes, loop order, marks and chunk uniformly and independently, the
   * modes uniformly from the legal sequences.
   *
   * @param threads number of threads that the schedule asks for
   */
  public static Schedule random(Problem problem, int threads, RandomGenerator random) {
    Op op = problem.op();
    Map<String, Long> innerSizes = new TreeMap<>();
    List<String> loops = new ArrayList<>();
    for (String axis : op.axes()) {
      List<Long> choices = innerSizes(problem.extent(axis));
      long inner = pick(choices, random);
      if (inner == WHOLE) {
        loops.add(axis);
      } else {
        innerSizes.put(axis, inner);
        loops.add(axis + "0");
        loops.add(axis + "1");
      }
    }
    shuffle(loops, random);
    orderParts(loops);
    SpacePoint shape =
        new SpacePoint(
            innerSizes, loops, Map.of(), coin(random), coin(random), coin(random), chunk(random));
    List<Map<String, Mode>> legal = ModeSequences.all(shape, problem);
    return shape.withModes(pick(legal, random)).toSchedule(problem, threads);
  }

  /**
   * A neighbour: one inner size, one place in the loop order, one mode, one mark or the chunk is
   * another, and what that makes illegal is put right.
   *
   * @param schedule a legal schedule; one with marks on other loops than the space's loses them
   * @return a schedule whose canonical form differs from the given one's; same threads
   */
  public static Schedule mutate(Schedule schedule, Problem problem, RandomGenerator random) {
    SpacePoint point = SpacePoint.of(schedule, problem);
    Schedule before = point.toSchedule(problem, schedule.threads()).canonical();
    Schedule given = schedule.canonical();
    for (int attempt = 0; attempt < TRIES; attempt++) {
      Schedule after = Mutation.pick(random).apply(point, problem, random, schedule.threads());
      Schedule canonical = after.canonical();
      if (!canonical.equals(before) && !canonical.equals(given)) {
        return after;
      }
    }
    // The root has three modes whatever the shape, so this always differs.
    return Mutation.ofRoot(point, problem, random).toSchedule(problem, schedule.threads());
  }

  /** Stands for an axis that is not split, where an inner size is asked for. */
  static final long WHOLE = 0;

  /** What an axis may be split by: not at all, then 1, 2, 4 … up to its extent. */
  static List<Long> innerSizes(long extent) {
    List<Long> sizes = new ArrayList<>(List.of(WHOLE));
    for (long inner = 1; inner <= Math.min(MAX_INNER, extent); inner *= 2) {
      sizes.add(inner);
    }
    return sizes;
  }

  static int chunk(RandomGenerator random) {
    return 1 << below(Integer.numberOfTrailingZeros(MAX_CHUNK) + 1, random);
  }

  static <T> T pick(List<T> choices, RandomGenerator random) {
    return choices.get(below(choices.size(), random));
  }

  /**
   * A number from 0 to bound - 1. Only {@link RandomGenerator#nextLong} is the same in every JVM:
   * how the other methods use it is theirs to change.
   */
  static int below(int bound, RandomGenerator random) {
    return (int) ((random.nextLong() >>> 1) % bound);
  }

  static boolean coin(RandomGenerator random) {
    return random.nextLong() < 0;
  }

  /** Where an inner part stands before its outer part, the two change places. */
  static void orderParts(List<String> loops) {
    for (int place = 0; place < loops.size(); place++) {
      String loop = loops.get(place);
      String axis = Op.logicalAxis(loop);
      int outer = loops.indexOf(axis + "0");
      if (loop.equals(axis + "1") && outer > place) {
        Collections.swap(loops, place, outer);
      }
    }
  }

  /** Fisher and Yates. */
  private static void shuffle(List<String> loops, RandomGenerator random) {
    for (int last = loops.size() - 1; last > 0; last--) {
      Collections.swap(loops, last, below(last + 1, random));
    }
  }
}
