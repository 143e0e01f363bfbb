package autosparse.tuner.space;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The formats and loops that people write by hand: parallel CSR, doubly compressed rows,
 * coordinates, blocks, bands of columns. A search that misses these has missed the obvious.
 */
public final class ClassicSchedules {
  private static final int CHUNK = 32;

  private final Problem problem;
  private final Op op;
  private final String row;
  private final String column;
  private final int threads;

  private ClassicSchedules(Problem problem, int threads) {
    this.problem = problem;
    this.op = problem.op();
    this.row = op.rowAxis();
    this.column = op.columnAxis();
    this.threads = threads;
  }

  /**
   * Those of them that are legal on a shape, each once, the most usual first.
   *
   * @param threads number of threads that they ask for
   */
  public static List<Schedule> of(Problem problem, int threads) {
    return new ClassicSchedules(problem, threads).all();
  }

  private List<Schedule> all() {
    List<Schedule> schedules = new ArrayList<>();
    // CSR, rows in parallel.
    schedules.add(whole(Mode.DENSE, Mode.COMPRESSED, CHUNK));
    // Rows without nonzeros are not stored (DCSR).
    schedules.add(whole(Mode.COMPRESSED, Mode.COMPRESSED, CHUNK));
    // Row and column of every nonzero (COO).
    if (problem.cols() > 1) {
      schedules.add(whole(Mode.COMPRESSED_NON_UNIQUE, Mode.SINGLETON, CHUNK));
    }
    // Dense blocks (BCSR).
    for (long block : new long[] {4, 16}) {
      if (block <= problem.rows() && block <= problem.cols()) {
        schedules.add(blocks(block));
      }
    }
    // CSR within bands of columns, so that the operand's part stays in the cache.
    if (problem.cols() >= ScheduleSpace.MAX_INNER) {
      schedules.add(columnBands());
    }
    return schedules;
  }

  private Schedule whole(Mode rowMode, Mode columnMode, int chunk) {
    return schedule(
        Map.of(), List.of(row, column), Map.of(row, rowMode, column, columnMode), chunk);
  }

  private Schedule blocks(long block) {
    Map<String, Mode> modes = new LinkedHashMap<>();
    modes.put(row + "0", Mode.DENSE);
    modes.put(column + "0", Mode.COMPRESSED);
    modes.put(row + "1", Mode.DENSE);
    modes.put(column + "1", Mode.DENSE);
    return schedule(Map.of(row, block, column, block), List.copyOf(modes.keySet()), modes, CHUNK);
  }

  private Schedule columnBands() {
    Map<String, Mode> modes = new LinkedHashMap<>();
    modes.put(column + "0", Mode.DENSE);
    modes.put(row, Mode.COMPRESSED);
    modes.put(column + "1", Mode.COMPRESSED);
    return schedule(
        Map.of(column, (long) ScheduleSpace.MAX_INNER), List.copyOf(modes.keySet()), modes, CHUNK);
  }

  /** Parallel, the dense axis innermost and vectorised. */
  private Schedule schedule(
      Map<String, Long> innerSizes, List<String> levels, Map<String, Mode> modes, int chunk) {
    List<String> loops = new ArrayList<>(levels);
    op.denseAxis().ifPresent(loops::add);
    return new SpacePoint(innerSizes, loops, modes, true, true, false, chunk)
        .toSchedule(problem, threads);
  }
}
