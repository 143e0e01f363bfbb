package autosparse.tuner.space;

import autosparse.schedule.AxisSplit;
import autosparse.schedule.LevelModes;
import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.StorageOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A schedule as its free choices, without what follows from them: the storage order is the loop
 * order restricted to A, a mark is on or off, the outer sizes are the published ones.
 *
 * @param innerSizes per split logical axis its inner size; an axis that is missing is whole
 * @param loops loops, outermost first
 * @param modes mode per level of A
 * @param parallel whether the first loop that may be parallel is
 * @param vectorized whether the innermost loop is vectorised, where it may be
 * @param unrolled whether the longest of the remaining dense loops is unrolled
 * @param chunk iterations that a thread takes at a time
 */
record SpacePoint(
    Map<String, Long> innerSizes,
    List<String> loops,
    Map<String, Mode> modes,
    boolean parallel,
    boolean vectorized,
    boolean unrolled,
    int chunk) {

  /** GCC unrolls as far as told; further than this only grows the code. */
  private static final long MAX_UNROLL = 16;

  SpacePoint {
    innerSizes = Collections.unmodifiableMap(new TreeMap<>(innerSizes));
    loops = List.copyOf(loops);
    modes = Collections.unmodifiableMap(new TreeMap<>(modes));
  }

  /** The choices behind a legal schedule. Marks elsewhere than on the space's loops move there. */
  static SpacePoint of(Schedule schedule, Problem problem) {
    Map<String, Long> innerSizes = new TreeMap<>();
    Stream.of(schedule.formatSplits(), schedule.loopSplits())
        .flatMap(List::stream)
        .forEach(split -> innerSizes.put(split.axis(), split.innerSize()));
    Map<String, Mode> modes = new TreeMap<>();
    schedule
        .levelModes("A")
        .orElseThrow()
        .modes()
        .forEach(level -> modes.put(level.axis(), level.mode()));
    return new SpacePoint(
        innerSizes,
        ScheduleGeometry.of(schedule, problem).loops().stream()
            .map(ScheduleGeometry.Loop::name)
            .toList(),
        modes,
        schedule.parallelAxis().isPresent(),
        schedule.vectorizedAxis().isPresent(),
        schedule.unrolledAxis().isPresent(),
        schedule.chunk());
  }

  /** The schedule, in canonical order; a mark that no loop can take is left out. */
  Schedule toSchedule(Problem problem, int threads) {
    Op op = problem.op();
    List<AxisSplit> formatSplits = splits(op.sparseAxes());
    List<AxisSplit> loopSplits = splits(op.denseAxis().stream().toList());
    List<String> levels = levels(op);
    List<StorageOrder> orders = new ArrayList<>();
    List<LevelModes> levelModes = new ArrayList<>();
    for (String tensor : op.sparseTensors()) {
      orders.add(new StorageOrder(tensor, levels));
      levelModes.add(
          new LevelModes(
              tensor,
              modes.entrySet().stream()
                  .map(level -> new LevelModes.AxisMode(level.getKey(), level.getValue()))
                  .toList()));
    }
    Optional<String> parallelLoop = parallel ? parallelLoop(op) : Optional.empty();
    Optional<String> vectorizedLoop =
        vectorized ? vectorizedLoop(op, parallelLoop) : Optional.empty();
    Optional<String> unrolledLoop =
        unrolled ? unrolledLoop(problem, parallelLoop, vectorizedLoop) : Optional.empty();
    return new Schedule(
            formatSplits,
            orders,
            levelModes,
            loopSplits,
            loops,
            parallelLoop,
            vectorizedLoop,
            unrolledLoop,
            unrolledLoop.map(loop -> unrollFactor(size(loop, problem))).orElse(0),
            threads,
            chunk)
        .withPublishedOuterSizes(problem)
        .inCanonicalOrder();
  }

  /** The same with other loops. */
  SpacePoint withLoops(List<String> newLoops) {
    return new SpacePoint(innerSizes, newLoops, modes, parallel, vectorized, unrolled, chunk);
  }

  /** The same with other modes. */
  SpacePoint withModes(Map<String, Mode> newModes) {
    return new SpacePoint(innerSizes, loops, newModes, parallel, vectorized, unrolled, chunk);
  }

  /** The same with other marks. */
  SpacePoint withMarks(boolean newParallel, boolean newVectorized, boolean newUnrolled) {
    return new SpacePoint(innerSizes, loops, modes, newParallel, newVectorized, newUnrolled, chunk);
  }

  /** The same with another chunk. */
  SpacePoint withChunk(int newChunk) {
    return new SpacePoint(innerSizes, loops, modes, parallel, vectorized, unrolled, newChunk);
  }

  /** A's levels in storage order. */
  List<String> levels(Op op) {
    return loops.stream().filter(op::isSparse).toList();
  }

  /** Iterations of a loop; of a level of A its extent. */
  long size(String loop, Problem problem) {
    String axis = Op.logicalAxis(loop);
    long extent = problem.extent(axis);
    if (axis.equals(loop)) {
      return extent;
    }
    long inner = innerSizes.get(axis);
    return loop.endsWith("1") ? inner : new AxisSplit(axis, 0, inner).outerIterations(extent);
  }

  private List<AxisSplit> splits(List<String> axes) {
    return axes.stream()
        .filter(innerSizes::containsKey)
        .map(axis -> new AxisSplit(axis, 0, innerSizes.get(axis)))
        .toList();
  }

  private Optional<String> parallelLoop(Op op) {
    return loops.stream()
        .filter(loop -> !op.isReduction(loop))
        .filter(loop -> !modes.containsKey(loop) || modes.get(loop).isParallelizable())
        .findFirst();
  }

  private Optional<String> vectorizedLoop(Op op, Optional<String> taken) {
    return Optional.of(loops.get(loops.size() - 1))
        .filter(loop -> isDense(loop) && !op.isReduction(loop) && !taken.equals(Optional.of(loop)));
  }

  private Optional<String> unrolledLoop(
      Problem problem, Optional<String> parallelLoop, Optional<String> vectorizedLoop) {
    String longest = null;
    for (String loop : loops) {
      boolean taken =
          parallelLoop.equals(Optional.of(loop)) || vectorizedLoop.equals(Optional.of(loop));
      long size = size(loop, problem);
      if (isDense(loop)
          && !taken
          && size > 1
          && (longest == null || size > size(longest, problem))) {
        longest = loop;
      }
    }
    return Optional.ofNullable(longest);
  }

  private boolean isDense(String loop) {
    return !modes.containsKey(loop) || modes.get(loop) == Mode.DENSE;
  }

  private static int unrollFactor(long size) {
    return (int) Math.min(MAX_UNROLL, Long.highestOneBit(size));
  }
}
