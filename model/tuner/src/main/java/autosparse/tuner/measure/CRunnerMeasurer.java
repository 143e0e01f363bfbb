package autosparse.tuner.measure;

import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.util.List;

/** Measures schedules as compiled C in a child process. */
public final class CRunnerMeasurer implements ScheduleMeasurer {
  private final MeasureSettings settings;

  /** Nothing is started before there is something to measure. */
  public CRunnerMeasurer(MeasureSettings settings) {
    this.settings = settings;
  }

  /** Where the time went so far. */
  public TimeSpent timeSpent() {
    return new TimeSpent(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Override
  public void measure(
      SparsityPattern matrix, Problem problem, List<Schedule> schedules, Listener listener) {
    throw new UnsupportedOperationException("not there yet: " + settings);
  }

  @Override
  public void close() {}
}
