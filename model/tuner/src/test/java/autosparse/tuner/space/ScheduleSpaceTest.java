package autosparse.tuner.space;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.RandomStream;
import autosparse.schedule.AxisSplit;
import autosparse.schedule.Legality;
import autosparse.schedule.LevelModes;
import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.StorageOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleSpaceTest {
  private static final int DRAWS = 2000;
  private static final int THREADS = 2;
  private static final SourceLocation HERE = new SourceLocation("test", 0);

  /** Shapes that hold every inner size, that no power of two divides, and that are tiny. */
  private static List<Problem> problems(Op op) {
    return List.of(
        Problem.of(op, 5000, 3000, 40_000),
        Problem.of(op, 256, 1024, 900),
        Problem.of(op, 7, 301, 60).withDenseSize(op.denseAxis().isPresent() ? 3 : 1),
        Problem.of(op, 1, 50, 50),
        Problem.of(op, 50, 1, 0),
        Problem.of(op, 1, 1, 1).withDenseSize(1));
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void everyDrawIsLegalAndAsTheSpaceWritesIt(Op op) {
    for (Problem problem : problems(op)) {
      RandomGenerator random = new RandomStream(1)::nextLong;
      for (int draw = 0; draw < DRAWS; draw++) {
        check(ScheduleSpace.random(problem, THREADS, random), problem, "draw " + draw);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void everyMutationIsLegalAndDiffersFromWhatItCameFrom(Op op) {
    for (Problem problem : problems(op)) {
      RandomGenerator random = new RandomStream(2)::nextLong;
      Schedule schedule = Schedule.noOp(op, THREADS, 32);
      for (int step = 0; step < DRAWS; step++) {
        Schedule next = ScheduleSpace.mutate(schedule, problem, random);
        check(next, problem, "step " + step + " from " + schedule);
        assertNotEquals(schedule.canonical(), next.canonical(), "step " + step);
        // A walk drifts far; starting again now and then keeps it near what mutations start from.
        schedule = step % 50 == 0 ? ScheduleSpace.random(problem, THREADS, random) : next;
      }
    }
  }

  private static void check(Schedule schedule, Problem problem, String message) {
    assertEquals(List.of(), Legality.check(schedule, problem), message + ": " + schedule);
    assertEquals(List.of(), Legality.check(schedule, problem.op()), message + ": " + schedule);
    assertEquals(schedule, schedule.inCanonicalOrder(), message);
    assertEquals(schedule, schedule.withPublishedOuterSizes(problem), message);
    assertEquals(schedule, Schedule.parse(schedule.encode(), HERE), message);
    assertEquals(THREADS, schedule.threads(), message);
    assertEquals(
        schedule,
        SpacePoint.of(schedule, problem).toSchedule(problem, THREADS),
        message + ": the choices behind it give it again");
    for (ScheduleGeometry.Loop loop : ScheduleGeometry.of(schedule, problem).loops()) {
      boolean singleton =
          loop.mode().equals(Optional.of(Mode.SINGLETON))
              || loop.mode().equals(Optional.of(Mode.SINGLETON_NON_UNIQUE));
      assertTrue(!singleton || loop.size() > 1, message + ": singleton of size 1: " + schedule);
    }
  }

  @Test
  void everyPublishedLoopOrderIsDrawn() {
    Problem problem = Problem.of(Op.SPMM, 5000, 3000, 40_000);
    RandomGenerator random = new RandomStream(3)::nextLong;
    Set<List<String>> orders = new HashSet<>();
    for (int draw = 0; draw < 2 * DRAWS; draw++) {
      Schedule schedule = ScheduleSpace.random(problem, THREADS, random);
      if (schedule.loopOrder().size() == 6) {
        orders.add(schedule.loopOrder());
      }
    }
    assertEquals(90, orders.size());
  }

  @Test
  void everyLegalModeSequenceIsDrawn() {
    Problem problem = Problem.of(Op.SPMV, 5000, 3000, 40_000);
    RandomGenerator random = new RandomStream(4)::nextLong;
    Set<String> drawn = new TreeSet<>();
    for (int draw = 0; draw < 20_000; draw++) {
      Schedule schedule = ScheduleSpace.random(problem, THREADS, random);
      if (hasFourLevels(schedule)) {
        drawn.add(letters(schedule));
      }
    }
    assertEquals(legalSequences(), drawn);
  }

  /** All that {@link Legality} itself lets pass of 5^4 sequences on levels larger than 1. */
  private static Set<String> legalSequences() {
    Set<String> legal = new TreeSet<>();
    List<String> levels = List.of("i0", "j0", "i1", "j1");
    for (int code = 0; code < 625; code++) {
      List<LevelModes.AxisMode> modes =
          List.of(
              new LevelModes.AxisMode("i0", Mode.ofCode(code % 5)),
              new LevelModes.AxisMode("j0", Mode.ofCode(code / 5 % 5)),
              new LevelModes.AxisMode("i1", Mode.ofCode(code / 25 % 5)),
              new LevelModes.AxisMode("j1", Mode.ofCode(code / 125)));
      Schedule schedule =
          new Schedule(
              List.of(new AxisSplit("i", 0, 4), new AxisSplit("j", 0, 4)),
              List.of(new StorageOrder("A", levels)),
              List.of(new LevelModes("A", modes)),
              List.of(),
              levels,
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              0,
              1,
              1);
      if (Legality.check(schedule, Problem.of(Op.SPMV, 100, 100, 100)).isEmpty()) {
        legal.add(letters(schedule));
      }
    }
    return legal;
  }

  private static boolean hasFourLevels(Schedule schedule) {
    return schedule.formatSplits().size() == 2
        && schedule.formatSplits().stream().allMatch(split -> split.innerSize() > 1);
  }

  private static String letters(Schedule schedule) {
    LevelModes modes = schedule.levelModes("A").orElseThrow();
    return schedule.storageOrder("A").orElseThrow().axes().stream()
        .map(axis -> String.valueOf(modes.mode(axis).orElseThrow().letter()))
        .collect(Collectors.joining());
  }

  @Test
  void everyInnerSizeChunkAndMarkIsDrawn() {
    Problem problem = Problem.of(Op.SDDMM, 5000, 3000, 40_000);
    RandomGenerator random = new RandomStream(5)::nextLong;
    Set<Long> innerSizes = new TreeSet<>();
    Set<Integer> chunks = new TreeSet<>();
    Set<List<Boolean>> marks = new HashSet<>();
    for (int draw = 0; draw < DRAWS; draw++) {
      Schedule schedule = ScheduleSpace.random(problem, THREADS, random);
      innerSizes.add(schedule.split("i").map(AxisSplit::innerSize).orElse(0L));
      chunks.add(schedule.chunk());
      marks.add(
          List.of(
              schedule.parallelAxis().isPresent(),
              schedule.vectorizedAxis().isPresent(),
              schedule.unrolledAxis().isPresent()));
    }
    assertEquals(Set.of(0L, 1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L), innerSizes);
    assertEquals(Set.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), chunks);
    assertEquals(8, marks.size());
  }

  @Test
  void mutationsReachEveryFormatAndLoopOrderOfATinySpace() {
    Problem problem = Problem.of(Op.SPMV, 1, 1, 1);
    Set<String> drawn = new TreeSet<>();
    RandomGenerator random = new RandomStream(6)::nextLong;
    for (int draw = 0; draw < 20_000; draw++) {
      drawn.add(formatAndLoops(ScheduleSpace.random(problem, THREADS, random)));
    }
    Set<String> reached = new TreeSet<>();
    Schedule schedule = ScheduleSpace.random(problem, THREADS, random);
    for (int step = 0; step < 60_000; step++) {
      schedule = ScheduleSpace.mutate(schedule, problem, random);
      reached.add(formatAndLoops(schedule));
    }
    assertEquals(drawn, reached);
  }

  /** A schedule's formats and loops, without its marks, threads and chunk. */
  private static String formatAndLoops(Schedule schedule) {
    String encoded = schedule.encode();
    return encoded.replaceAll("( [^ ]+){6}$", "");
  }

  @Test
  void aSeedGivesTheSameSchedulesInEveryJvm() {
    Problem problem = Problem.of(Op.SPMM, 5000, 3000, 40_000);
    RandomGenerator random = new RandomStream(7)::nextLong;
    Schedule schedule = ScheduleSpace.random(problem, 104, random);
    assertEquals(
        "2 i 2 i0 1024 i1 4 k 2 k0 1024 k1 2 1 A 4 i0 k0 k1 i1 A 4 i0 1 i1 3 k0 2 k1 4 0 "
            + "5 i0 k0 k1 j i1 None None None 0 104 1",
        schedule.encode());
    assertEquals(
        "2 i 2 i0 1024 i1 4 k 2 k0 1024 k1 2 1 A 4 i0 k0 k1 i1 A 4 i0 2 i1 3 k0 2 k1 4 0 "
            + "5 i0 k0 k1 j i1 None None None 0 104 1",
        ScheduleSpace.mutate(schedule, problem, random).encode());
  }
}
