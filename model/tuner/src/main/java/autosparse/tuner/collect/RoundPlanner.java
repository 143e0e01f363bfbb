package autosparse.tuner.collect;

import autosparse.engine.RandomStream;
import autosparse.schedule.LevelModes;
import autosparse.schedule.Measurement;
import autosparse.schedule.Measurement.Draw;
import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.tuner.format.Packer;
import autosparse.tuner.space.ClassicSchedules;
import autosparse.tuner.space.ScheduleSpace;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Decides what a round measures: a pure function of the settings, the task, the round and the
 * records of the rounds before it, so that a collection that was cut short goes on as if nothing
 * had been.
 *
 * <p>The first round holds plain CSR, the classic candidates and uniform draws. Later ones hold
 * mutations of the best so far, uniform draws, and a few schedules again.
 */
final class RoundPlanner {
  /** So many draws in a row that are known already mean that the space is used up. */
  private static final int MAX_KNOWN_DRAWS = 500;

  /** Parents of mutations are the best of a task: this share of what has a time, and at least … */
  private static final double PARENT_SHARE = 0.1;

  /** … so many. */
  private static final int MIN_PARENTS = 4;

  /** Every so many mutations one goes two steps from its parent, to leave a local optimum. */
  private static final int TWO_STEPS_EVERY = 3;

  /** A schedule to measure, and why it is one. */
  record Planned(Schedule schedule, Draw draw) {}

  private final CollectSettings settings;
  private final CollectTask task;
  private final Problem problem;

  RoundPlanner(CollectSettings settings, CollectTask task, Problem problem) {
    this.settings = settings;
    this.task = task;
    this.problem = problem;
  }

  /** Different schedules among some records. */
  static int distinct(List<Measurement> records) {
    return (int) records.stream().filter(record -> record.origin().draw() != Draw.REPEAT).count();
  }

  /**
   * What a round measures; empty when the task has all its schedules, or its space has no more.
   *
   * @param earlier the records of all rounds before it, in order
   */
  List<Planned> plan(int round, List<Measurement> earlier) {
    int wanted = Math.min(settings.roundSize(), settings.schedules() - distinct(earlier));
    if (wanted <= 0) {
      return List.of();
    }
    RandomGenerator random =
        RandomStream.named(settings.seed(), settings.worker() + "/" + task.id() + "/" + round)
            ::nextLong;
    Set<String> known = new HashSet<>();
    earlier.forEach(record -> known.add(key(record.schedule())));
    List<Planned> planned = new ArrayList<>();
    if (round == 0) {
      addFirst(planned, known, wanted);
    }
    List<Schedule> parents = parents(earlier);
    if (!parents.isEmpty()) {
      long mutations = Math.round(settings.mutationShare() * wanted);
      for (int m = 0; m < mutations; m++) {
        boolean far = m % TWO_STEPS_EVERY == TWO_STEPS_EVERY - 1;
        draw(Draw.MUTATION, () -> mutate(parents, far, random), planned, known);
      }
    }
    while (planned.size() < wanted) {
      if (!draw(
          Draw.UNIFORM,
          () -> ScheduleSpace.random(problem, settings.threads(), random),
          planned,
          known)) {
        break;
      }
    }
    if (!planned.isEmpty()) {
      addRepeats(planned, earlier, random);
    }
    return planned;
  }

  private void addFirst(List<Planned> planned, Set<String> known, int wanted) {
    Schedule plain = Schedule.noOp(task.op(), settings.threads(), 1);
    known.add(key(plain));
    planned.add(new Planned(plain, Draw.PLAIN));
    for (Schedule classic : ClassicSchedules.of(problem, settings.threads())) {
      if (planned.size() < wanted && fits(classic) && known.add(key(classic))) {
        planned.add(new Planned(classic, Draw.CLASSIC));
      }
    }
  }

  /** Adds a schedule that is new; false if none was found. */
  private boolean draw(
      Draw kind, Supplier<Schedule> source, List<Planned> planned, Set<String> known) {
    for (int attempt = 0; attempt < MAX_KNOWN_DRAWS; attempt++) {
      Schedule schedule = source.get();
      if (fits(schedule) && known.add(key(schedule))) {
        planned.add(new Planned(schedule, kind));
        return true;
      }
    }
    return false;
  }

  /** The best schedules so far, each once, fastest first. */
  private List<Schedule> parents(List<Measurement> earlier) {
    List<Measurement> timed = firstTimes(earlier);
    int count = Math.max(MIN_PARENTS, (int) (timed.size() * PARENT_SHARE));
    return timed.stream()
        .sorted(Comparator.comparingDouble(Measurement::medianMs))
        .limit(count)
        .map(Measurement::schedule)
        .toList();
  }

  private static List<Measurement> firstTimes(List<Measurement> records) {
    return records.stream()
        .filter(record -> record.isTimed() && record.origin().draw() != Draw.REPEAT)
        .toList();
  }

  private Schedule mutate(List<Schedule> parents, boolean far, RandomGenerator random) {
    Schedule parent = parents.get(below(parents.size(), random));
    Schedule child = ScheduleSpace.mutate(parent, problem, random);
    return far ? ScheduleSpace.mutate(child, problem, random) : child;
  }

  /** Any that has a time may be measured again, but none a third time. */
  private void addRepeats(
      List<Planned> planned, List<Measurement> earlier, RandomGenerator random) {
    Set<String> repeated = new HashSet<>();
    earlier.stream()
        .filter(record -> record.origin().draw() == Draw.REPEAT)
        .forEach(record -> repeated.add(key(record.schedule())));
    List<Schedule> candidates = new ArrayList<>();
    for (Measurement record : firstTimes(earlier)) {
      if (!repeated.contains(key(record.schedule()))) {
        candidates.add(record.schedule());
      }
    }
    long repeats = Math.round(settings.repeatShare() * planned.size());
    for (int r = 0; r < repeats && !candidates.isEmpty(); r++) {
      Schedule again = candidates.remove(below(candidates.size(), random));
      planned.add(new Planned(again, Draw.REPEAT));
    }
  }

  private String key(Schedule schedule) {
    return ScheduleSpace.written(schedule, problem).canonical().encode();
  }

  /**
   * Whether the levels that are dense from the root on stay under the storage cap. They are as
   * large as the shape says; most draws that the cap rules out are ruled out by them, and to
   * measure such a one would only record that.
   */
  private boolean fits(Schedule schedule) {
    long cap =
        Packer.STORAGE_CAP
            * Math.max(1, Math.max(problem.nnz(), Math.max(problem.rows(), problem.cols())));
    ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
    LevelModes modes = schedule.levelModes("A").orElseThrow();
    List<String> levels = schedule.storageOrder("A").orElseThrow().axes();
    long positions = 1;
    for (int level = 0; level < levels.size(); level++) {
      if (modes.mode(levels.get(level)).orElseThrow() != Mode.DENSE) {
        return true;
      }
      long size = geometry.storageSizes().get(level);
      if (positions > cap / size) {
        return false;
      }
      positions *= size;
    }
    return true;
  }

  private static int below(int bound, RandomGenerator random) {
    return (int) ((random.nextLong() >>> 1) % bound);
  }
}
