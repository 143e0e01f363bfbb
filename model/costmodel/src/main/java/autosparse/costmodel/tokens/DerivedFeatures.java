package autosparse.costmodel.tokens;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleGeometry.Loop;

/**
 * What decides a schedule's speed, computed from schedule and shape: sizes of all levels after ceil
 * division, their places in the loop order, their modes, the parallel loop's iterations per chunk
 * and thread, the innermost loops.
 *
 * <p>All sizes as log2(1 + size), divided by about their largest value. Layout, in order: {@value
 * #PER_ROLE} a role (6 roles: row, column, dense × outer, inner), {@value #GLOBALS} globals, size
 * and {@value #PER_POSITION} flags a loop position (6), size a storage level (4), operator one-hot
 * (3).
 */
public final class DerivedFeatures {
  private static final int POSITIONS = 6;
  private static final int MODES = 5;
  private static final int PER_ROLE = 2 + POSITIONS + MODES + 3;
  private static final int GLOBALS = 17;
  private static final int PER_POSITION = MODES + 2;
  private static final int STORAGE = 4;

  /** Number of features. */
  public static final int COUNT =
      Roles.COUNT * PER_ROLE + GLOBALS + POSITIONS * (1 + PER_POSITION) + STORAGE + Roles.OPS;

  private DerivedFeatures() {}

  static float log(long size) {
    return log((double) size);
  }

  static float log(double size) {
    return (float) (StrictMath.log1p(size) / StrictMath.log(2));
  }

  /**
   * The features of one schedule.
   *
   * @return [{@link #COUNT}]
   */
  public static float[] of(ScheduleGeometry geometry) {
    float[] out = new float[COUNT];
    Schedule schedule = geometry.schedule();
    Problem problem = geometry.problem();
    for (Loop loop : geometry.loops()) {
      int at = Roles.of(problem.op(), loop) * PER_ROLE;
      out[at] = log(loop.size()) / 10;
      out[at + 1] = (1 + loop.position()) / (float) POSITIONS;
      out[at + 2 + loop.position()] = 1;
      if (loop.mode().isPresent()) {
        out[at + 2 + POSITIONS + loop.mode().get().code()] = 1;
      }
      int flags = at + 2 + POSITIONS + MODES;
      out[flags] = loop.parallel() ? 1 : 0;
      out[flags + 1] = loop.vectorized() ? 1 : 0;
      out[flags + 2] = loop.unrolled() ? 1 : 0;
    }
    int at = writeGlobals(out, Roles.COUNT * PER_ROLE, geometry);
    for (Loop loop : geometry.loops()) {
      out[at + loop.position()] = log(loop.size()) / 10;
    }
    at += POSITIONS;
    for (Loop loop : geometry.loops()) {
      int flags = at + loop.position() * PER_POSITION;
      if (loop.mode().isPresent()) {
        out[flags + loop.mode().get().code()] = 1;
      } else {
        out[flags + MODES] = 1;
      }
      out[flags + MODES + 1] = loop.axis().equals(problem.op().rowAxis()) ? 1 : 0;
    }
    at += POSITIONS * PER_POSITION;
    for (int level = 0; level < Math.min(STORAGE, geometry.storageSizes().size()); level++) {
      out[at + level] = log(geometry.storageSizes().get(level)) / 10;
    }
    at += STORAGE;
    out[at + Roles.operator(problem.op())] = 1;
    if (schedule.loopOrder().size() > POSITIONS) {
      throw new IllegalArgumentException(
          schedule.loopOrder().size() + " loops, expected at most " + POSITIONS);
    }
    return out;
  }

  private static int writeGlobals(float[] out, int start, ScheduleGeometry geometry) {
    Schedule schedule = geometry.schedule();
    Problem problem = geometry.problem();
    int at = start;
    out[at++] = log(schedule.unrollFactor()) / 8;
    out[at++] = log(schedule.chunk()) / 10;
    out[at++] = schedule.parallelAxis().isPresent() ? 1 : 0;
    out[at++] = schedule.vectorizedAxis().isPresent() ? 1 : 0;
    out[at++] = schedule.unrolledAxis().isPresent() ? 1 : 0;
    out[at++] = log(geometry.parallelIterations()) / 10;
    out[at++] = log(geometry.chunks()) / 10;
    out[at++] = (float) Math.min(1, geometry.chunksPerThread());
    out[at++] = log(geometry.chunkRounds()) / 10;
    out[at++] = log(geometry.parallelEntries()) / 20;
    out[at++] = log(geometry.innermost(0).size()) / 10;
    out[at++] = log(geometry.loops().size() > 1 ? geometry.innermost(1).size() : 1) / 10;
    out[at++] = log(problem.rows()) / 20;
    out[at++] = log(problem.cols()) / 20;
    out[at++] = log(problem.nnz()) / 24;
    out[at++] = log((double) problem.nnz() / problem.rows()) / 10;
    out[at++] = innermostIsDenseVector(geometry) ? 1 : 0;
    return at;
  }

  /** Whether the innermost loop is one that a compiler turns into vector instructions. */
  private static boolean innermostIsDenseVector(ScheduleGeometry geometry) {
    Loop innermost = geometry.innermost(0);
    return innermost.vectorized()
        && (innermost.mode().isEmpty() || innermost.mode().get() == Mode.DENSE);
  }
}
