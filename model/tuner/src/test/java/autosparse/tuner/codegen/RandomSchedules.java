package autosparse.tuner.codegen;

import autosparse.schedule.AxisSplit;
import autosparse.schedule.Legality;
import autosparse.schedule.LevelModes;
import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.tuner.space.ScheduleSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Legal schedules, wilder than those of {@link ScheduleSpace}: inner sizes that are no powers of
 * two or exceed the extent, marks on any loop that may carry them, any unroll factor, up to four
 * threads.
 */
final class RandomSchedules {
  private static final int MAX_THREADS = 4;

  /** Most times that a parallel loop may be started. */
  private static final double MAX_ENTRIES = 20_000;

  private RandomSchedules() {}

  /** Draws a schedule, every other one as {@link ScheduleSpace} has it. */
  static Schedule draw(Problem problem, RandomGenerator random) {
    while (true) {
      Schedule schedule = ScheduleSpace.random(problem, 1 + random.nextInt(MAX_THREADS), random);
      if (random.nextBoolean()) {
        schedule = changed(schedule, problem.op(), random);
      }
      if (Legality.check(schedule, problem).isEmpty()
          && parallelEntries(ScheduleGeometry.of(schedule, problem)) <= MAX_ENTRIES) {
        return schedule;
      }
    }
  }

  /** How often the parallel loop is started at most, loops over non-unique levels included. */
  private static double parallelEntries(ScheduleGeometry geometry) {
    double dense = 1;
    double positions = 1;
    boolean nonUnique = false;
    for (ScheduleGeometry.Loop loop : geometry.loops()) {
      if (loop.parallel()) {
        return dense * positions;
      }
      if (loop.mode().isEmpty()) {
        dense *= loop.size();
      } else {
        nonUnique |= loop.mode().get() == Mode.COMPRESSED_NON_UNIQUE;
        positions =
            nonUnique
                ? Math.max(positions, (double) geometry.problem().nnz())
                : positions * loop.size();
      }
    }
    return 0;
  }

  private static Schedule changed(Schedule from, Op op, RandomGenerator random) {
    List<String> loops = from.loopOrder();
    LevelModes modes = from.levelModes().get(0);
    Optional<String> parallel =
        pick(
            loops.stream()
                .filter(loop -> !op.isReduction(loop))
                .filter(loop -> modes.mode(loop).map(Mode::isParallelizable).orElse(true))
                .toList(),
            random);
    List<String> dense =
        loops.stream()
            .filter(loop -> modes.mode(loop).map(mode -> mode == Mode.DENSE).orElse(true))
            .filter(loop -> !parallel.equals(Optional.of(loop)))
            .toList();
    Optional<String> vectorized =
        Optional.of(loops.get(loops.size() - 1))
            .filter(loop -> dense.contains(loop) && !op.isReduction(loop) && random.nextBoolean());
    Optional<String> unrolled =
        pick(dense.stream().filter(loop -> !vectorized.equals(Optional.of(loop))).toList(), random);
    return new Schedule(
        otherSizes(from.formatSplits(), random),
        from.storageOrders(),
        from.levelModes(),
        otherSizes(from.loopSplits(), random),
        loops,
        parallel,
        vectorized,
        unrolled,
        unrolled.isPresent() ? 1 + random.nextInt(9) : 0,
        from.threads(),
        1 + random.nextInt(20));
  }

  private static List<AxisSplit> otherSizes(List<AxisSplit> splits, RandomGenerator random) {
    List<AxisSplit> others = new ArrayList<>();
    for (AxisSplit split : splits) {
      int bound = random.nextInt(4) == 0 ? 400 : 12;
      others.add(new AxisSplit(split.axis(), 0, 1 + random.nextInt(bound)));
    }
    return others;
  }

  /** One of several, or none. */
  private static Optional<String> pick(List<String> choices, RandomGenerator random) {
    return choices.isEmpty() || random.nextInt(4) == 0
        ? Optional.empty()
        : Optional.of(choices.get(random.nextInt(choices.size())));
  }
}
