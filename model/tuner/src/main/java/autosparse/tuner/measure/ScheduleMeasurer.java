package autosparse.tuner.measure;

import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.util.List;

/** Measures schedules on one matrix after another. One thread; one measurement at a time. */
public interface ScheduleMeasurer extends AutoCloseable {
  /** Takes each outcome as soon as it is known, in the order of the schedules. */
  @FunctionalInterface
  interface Listener {
    void measured(int index, Schedule schedule, Outcome outcome);
  }

  /**
   * Packs, generates, compiles, checks and times schedules. What fails is an {@link Outcome.Failed}
   * and the rest goes on.
   *
   * @param matrix the pattern; its values are made up, the same for every schedule
   * @param problem operator and extents, those of the matrix
   * @param schedules legal or not
   * @param listener called once for each schedule, in order
   */
  void measure(
      SparsityPattern matrix, Problem problem, List<Schedule> schedules, Listener listener);

  @Override
  void close();
}
