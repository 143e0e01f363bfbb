package autosparse.tuner.collect;

import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.measure.Failure;
import autosparse.tuner.measure.Outcome;
import autosparse.tuner.measure.ScheduleMeasurer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Times that follow from the schedule alone: fast where little is split and much is parallel. */
final class FakeMeasurer implements ScheduleMeasurer {
  /** How often each schedule was measured, over all fakes that share it. */
  private final Map<String, Integer> calls;

  private final List<String> crashing = new ArrayList<>();

  FakeMeasurer() {
    this(new HashMap<>());
  }

  FakeMeasurer(Map<String, Integer> calls) {
    this.calls = calls;
  }

  /** The next measurement of this schedule dies with its process. */
  void crashOnce(String schedule) {
    crashing.add(schedule);
  }

  Map<String, Integer> calls() {
    return calls;
  }

  @Override
  public void measure(
      SparsityPattern matrix, Problem problem, List<Schedule> schedules, Listener listener) {
    for (int index = 0; index < schedules.size(); index++) {
      Schedule schedule = schedules.get(index);
      calls.merge(matrix.name() + " " + schedule.encode(), 1, Integer::sum);
      listener.measured(index, schedule, outcome(schedule));
    }
  }

  private Outcome outcome(Schedule schedule) {
    if (crashing.remove(schedule.encode())) {
      return new Outcome.Failed(Failure.CRASH, "signal 9");
    }
    long hash = schedule.canonicalHash();
    if (hash % 7 == 0) {
      return new Outcome.Failed(Failure.STORAGE_CAP, "level k1: 100 of \"99\"");
    }
    double ms =
        schedule.loopOrder().size() / (schedule.parallelAxis().isPresent() ? 2.0 : 1.0)
            + (hash & 0xff) / 1000.0;
    return new Outcome.Timed(List.of(ms * 1.5, ms, ms * 1.25), 1.23456e-7);
  }

  @Override
  public void close() {}
}
