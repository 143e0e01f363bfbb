package autosparse.schedule;

import java.util.List;

/**
 * The input vector of WACO's cost model for a schedule (reference "Schedules and data", section 2):
 *
 * <pre>
 * [log2 inner size of each axis]  2 (SpMV) or 3: rows, columns, dense
 * [P, n x n, row-major]           P[variable][position] = 1, n = 4 or 6 loops
 * [format flag of each level]     4: 0 = compressed, 1 = uncompressed
 * [parallel variable, 0, log2 chunk]
 * </pre>
 *
 * Variables in the order i, columns, dense, the outer part of each before the inner.
 */
public final class WacoFeatures {
  private WacoFeatures() {}

  /** Length of the vector: 25 (SpMV), 46 (SpMM, SDDMM). */
  public static int length(Op op) {
    int loops = 2 * op.axes().size();
    return op.axes().size() + loops * loops + 4 + 3;
  }

  /** Index of the permutation's first element; the inner sizes stand before it. */
  public static int orderOffset(Op op) {
    return op.axes().size();
  }

  /** Index of the first format flag. */
  public static int formatOffset(Op op) {
    return length(op) - 7;
  }

  /** Index of the parallel variable; the unused thread number and the chunk follow. */
  public static int parallelOffset(Op op) {
    return length(op) - 3;
  }

  /**
   * The vector of a schedule.
   *
   * @return [length(op)]
   * @throws IllegalArgumentException if the schedule is none that WACO knows, see {@link
   *     WacoSchedule#encode}
   */
  public static float[] of(Op op, Schedule schedule) {
    WacoSchedule.requireExpressible(op, schedule);
    float[] vector = new float[length(op)];
    int at = 0;
    for (String axis : WacoSchedule.splitAxes(op)) {
      vector[at++] = log2(WacoSchedule.split(schedule, axis).innerSize());
    }
    List<String> variables = WacoSchedule.variables(op);
    int n = variables.size();
    for (int position = 0; position < n; position++) {
      vector[at + variables.indexOf(schedule.loopOrder().get(position)) * n + position] = 1;
    }
    at += n * n;
    for (String level : WacoSchedule.levels(op)) {
      vector[at++] = WacoSchedule.formatFlag(schedule.levelModes().get(0), level);
    }
    vector[at++] = variables.indexOf(schedule.parallelAxis().orElseThrow());
    vector[at++] = 0;
    vector[at] = log2(schedule.chunk());
    return vector;
  }

  private static int log2(long power) {
    if (Long.bitCount(power) != 1) {
      throw new IllegalArgumentException("WACO takes powers of two, not " + power);
    }
    return Long.numberOfTrailingZeros(power);
  }
}
