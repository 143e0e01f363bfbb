package autosparse.schedule;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a schedule amounts to on a matrix's shape: real loop sizes, positions, and how the parallel
 * loop is shared out. Plain quantities; scaling them for a network is the cost model's affair.
 *
 * @param problem operator and extents
 * @param schedule the schedule described
 * @param loops every loop, outermost first. Where the schedule states no loop order: the storage
 *     order, then the dense axis
 * @param storageSizes extents of A's levels, in storage order; their product is what a wholly dense
 *     A would hold
 * @param parallelIterations iterations of the parallel loop; 1 where no loop is parallel
 * @param parallelEntries how often the parallel loop is started: product of the sizes of the loops
 *     around it (an upper bound where those loop over compressed levels); 1 where no loop is
 *     parallel
 * @param chunks pieces the parallel loop is cut into: iterations / chunk, not rounded
 * @param chunksPerThread chunks / threads, not rounded
 * @param chunkRounds chunks that the busiest thread takes if all last equally long:
 *     ceil(ceil(chunks) / threads)
 */
public record ScheduleGeometry(
    Problem problem,
    Schedule schedule,
    List<Loop> loops,
    List<Long> storageSizes,
    long parallelIterations,
    double parallelEntries,
    double chunks,
    double chunksPerThread,
    long chunkRounds) {

  /** Which part of a logical axis a loop is. */
  public enum Part {
    /** The axis is not split. */
    WHOLE,
    /** The outer part of a split. */
    OUTER,
    /** The inner part of a split. */
    INNER
  }

  /**
   * One loop.
   *
   * @param name the axis after splitting, e.g. {@code i0}
   * @param axis the logical axis, e.g. {@code i}
   * @param part which part of it
   * @param size iterations, after ceil division for an outer part
   * @param position place in the loop order, 0 = outermost
   * @param level place in A's storage order, 0 = outermost; -1 for a dense axis
   * @param mode mode of A's level; empty for a dense axis
   * @param reduction whether it is summed over
   * @param parallel whether threads share it
   * @param vectorized whether it is vectorised
   * @param unrolled whether it is unrolled
   */
  public record Loop(
      String name,
      String axis,
      Part part,
      long size,
      int position,
      int level,
      Optional<Mode> mode,
      boolean reduction,
      boolean parallel,
      boolean vectorized,
      boolean unrolled) {}

  /** Copies the lists. */
  public ScheduleGeometry {
    loops = List.copyOf(loops);
    storageSizes = List.copyOf(storageSizes);
  }

  /**
   * Works out what a schedule amounts to on a problem.
   *
   * @throws IllegalArgumentException if the schedule names an axis that the operator lacks, or has
   *     no loop for one that it has (see {@link Legality} for a full check)
   */
  public static ScheduleGeometry of(Schedule schedule, Problem problem) {
    Op op = problem.op();
    List<String> order = loopOrder(schedule, op);
    List<String> stored = schedule.storageOrder("A").map(StorageOrder::axes).orElse(List.of());
    Optional<LevelModes> modes = schedule.levelModes("A");
    List<Loop> loops = new ArrayList<>(order.size());
    for (int position = 0; position < order.size(); position++) {
      String name = order.get(position);
      loops.add(
          new Loop(
              name,
              Op.logicalAxis(name),
              part(name),
              size(schedule, problem, name),
              position,
              stored.indexOf(name),
              modes.flatMap(m -> m.mode(name)),
              op.isReduction(name),
              isMarked(schedule.parallelAxis(), name),
              isMarked(schedule.vectorizedAxis(), name),
              isMarked(schedule.unrolledAxis(), name)));
    }
    requireAllAxes(loops, op);
    List<Long> storageSizes = stored.stream().map(axis -> size(schedule, problem, axis)).toList();
    long iterations = 1;
    double entries = 1;
    double outside = 1;
    for (Loop loop : loops) {
      if (loop.parallel()) {
        iterations = loop.size();
        entries = outside;
      }
      outside *= loop.size();
    }
    double chunks = (double) iterations / schedule.chunk();
    return new ScheduleGeometry(
        problem,
        schedule,
        loops,
        storageSizes,
        iterations,
        entries,
        chunks,
        chunks / schedule.threads(),
        ceilDiv(ceilDiv(iterations, schedule.chunk()), schedule.threads()));
  }

  /** The loops of a schedule, outermost first, also where it leaves them implicit. */
  static List<String> loopOrder(Schedule schedule, Op op) {
    if (!schedule.loopOrder().isEmpty()) {
      return schedule.loopOrder();
    }
    Set<String> order = new LinkedHashSet<>();
    schedule.storageOrder("A").ifPresent(stored -> order.addAll(stored.axes()));
    for (String axis : op.axes()) {
      if (order.stream().noneMatch(name -> Op.logicalAxis(name).equals(axis))) {
        Optional<AxisSplit> split = schedule.split(axis);
        order.addAll(split.map(s -> List.of(s.outer(), s.inner())).orElse(List.of(axis)));
      }
    }
    return List.copyOf(order);
  }

  /** Iterations of one loop on a problem. */
  static long size(Schedule schedule, Problem problem, String name) {
    String axis = Op.logicalAxis(name);
    long extent = problem.extent(axis);
    return switch (part(name)) {
      case WHOLE -> extent;
      case OUTER -> schedule.split(axis).orElseThrow().outerIterations(extent);
      case INNER -> schedule.split(axis).orElseThrow().innerSize();
    };
  }

  private static Part part(String name) {
    if (Op.logicalAxis(name).equals(name)) {
      return Part.WHOLE;
    }
    return name.endsWith("0") ? Part.OUTER : Part.INNER;
  }

  private static boolean isMarked(Optional<String> mark, String name) {
    return mark.isPresent() && mark.get().equals(name);
  }

  private static void requireAllAxes(List<Loop> loops, Op op) {
    for (String axis : op.axes()) {
      if (loops.stream().noneMatch(loop -> loop.axis().equals(axis))) {
        throw new IllegalArgumentException(
            "no loop over axis "
                + axis
                + " of "
                + op.id()
                + " among "
                + loops.stream().map(Loop::name).toList());
      }
    }
  }

  private static long ceilDiv(long a, long b) {
    return a / b + (a % b == 0 ? 0 : 1);
  }

  /** The loop of a name such as {@code i0}; empty where there is none. */
  public Optional<Loop> loop(String name) {
    return loops.stream().filter(loop -> loop.name().equals(name)).findFirst();
  }

  /**
   * The loop over a logical axis that is its outer part, or the whole of it where it is not split.
   */
  public Loop outer(String axis) {
    return loops.stream()
        .filter(loop -> loop.axis().equals(axis) && loop.part() != Part.INNER)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no loop over axis " + axis));
  }

  /** The inner part of a logical axis; empty where it is not split. */
  public Optional<Loop> inner(String axis) {
    return loops.stream()
        .filter(loop -> loop.axis().equals(axis) && loop.part() == Part.INNER)
        .findFirst();
  }

  /** The parallel loop. */
  public Optional<Loop> parallelLoop() {
    return loops.stream().filter(Loop::parallel).findFirst();
  }

  /** The n-th loop from the inside, 0 = innermost. */
  public Loop innermost(int n) {
    return loops.get(loops.size() - 1 - n);
  }
}
