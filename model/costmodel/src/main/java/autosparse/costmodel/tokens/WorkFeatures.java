package autosparse.costmodel.tokens;

import autosparse.schedule.PatternCounts;
import autosparse.schedule.Problem;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleGeometry.Loop;
import autosparse.schedule.ScheduleWork;
import java.util.List;

/**
 * What a schedule does with the pattern itself, counted from it: sizes of the format's levels, how
 * often each loop runs, what the loops touch, the critical path of the parallel loop. Beside {@link
 * DerivedFeatures}, which know the shape alone, these are what carries over to a new matrix: they
 * say the same of any.
 *
 * <p>All as log2(1 + size), divided by about their largest value. Layout, in order: per storage
 * level (4) its positions and how many a parent has; per loop position (6) iterations of its body,
 * mean trip count, bytes touched along rows and along columns; mean trip count per role (6);
 * {@value #GLOBALS} globals.
 */
public final class WorkFeatures {
  private static final int STORAGE = 4;
  private static final int POSITIONS = 6;
  private static final int PER_STORAGE = 2;
  private static final int PER_POSITION = 4;
  private static final int GLOBALS = 16;

  /** Number of features. */
  public static final int COUNT =
      STORAGE * PER_STORAGE + POSITIONS * PER_POSITION + Roles.COUNT + GLOBALS;

  private WorkFeatures() {}

  private static float log(double size) {
    return DerivedFeatures.log(size);
  }

  /**
   * The features of one schedule on one matrix.
   *
   * @return [{@link #COUNT}]
   */
  public static float[] of(ScheduleGeometry geometry, PatternCounts counts) {
    ScheduleWork work = ScheduleWork.of(geometry, counts);
    float[] out = new float[COUNT];
    int at = 0;
    double parents = 1;
    for (int level = 0; level < Math.min(STORAGE, work.positions().size()); level++) {
      double size = work.positions().get(level);
      out[at + level * PER_STORAGE] = log(size) / 20;
      out[at + level * PER_STORAGE + 1] = log(size / Math.max(1, parents)) / 10;
      parents = size;
    }
    at += STORAGE * PER_STORAGE;
    int roles = at + POSITIONS * PER_POSITION;
    for (Loop loop : geometry.loops()) {
      int place = loop.position();
      int to = at + place * PER_POSITION;
      float trips = log(trips(work, place)) / 10;
      out[to] = log(work.iterations().get(place)) / 30;
      out[to + 1] = trips;
      out[to + 2] = log(work.rowBytes().get(place)) / 20;
      out[to + 3] = log(work.columnBytes().get(place)) / 20;
      out[roles + Roles.of(geometry.problem().op(), loop)] = trips;
    }
    writeGlobals(out, roles + Roles.COUNT, geometry, work, counts);
    return out;
  }

  /** Mean trip count of a loop each time it is started. */
  private static double trips(ScheduleWork work, int place) {
    double starts = place == 0 ? 1 : work.iterations().get(place - 1);
    return work.iterations().get(place) / Math.max(1, starts);
  }

  private static void writeGlobals(
      float[] out, int start, ScheduleGeometry geometry, ScheduleWork work, PatternCounts counts) {
    Problem problem = geometry.problem();
    List<Double> iterations = work.iterations();
    int last = iterations.size() - 1;
    double body = iterations.get(last);
    double values =
        work.positions().isEmpty() ? 1 : work.positions().get(work.positions().size() - 1);
    double nnz = Math.max(1, counts.nnz());
    int at = start;
    out[at++] = log(values / nnz) / 5;
    out[at++] = log(work.formatBytes()) / 24;
    out[at++] = log(work.formatBytes() / nnz) / 8;
    out[at++] = log(body / (nnz * problem.denseSize())) / 5;
    out[at++] = log(trips(work, last)) / 10;
    out[at++] = log(last > 0 ? trips(work, last - 1) : 1) / 10;
    out[at++] = log(body * work.spanShare()) / 30;
    out[at++] = log(work.cacheTraffic().get(0)) / 30;
    out[at++] = log(work.cacheTraffic().get(0) * work.spanShare()) / 30;
    out[at++] = log(work.cacheTraffic().get(1)) / 30;
    out[at++] = log(work.cacheTraffic().get(1) * work.spanShare()) / 30;
    out[at++] = log(work.parallelEntries()) / 20;
    out[at++] = log(work.parallelChunks()) / 10;
    out[at++] = log(work.parallelEntries() * work.parallelChunks()) / 20;
    out[at++] = log(1 / work.busiestShare()) / 10;
    out[at] = log(1 / work.spanShare()) / 7;
  }
}
