package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Measurement;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.collect.RoundPlanner.Planned;
import autosparse.tuner.measure.Failure;
import autosparse.tuner.measure.Outcome;
import autosparse.tuner.measure.ScheduleMeasurer;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Measures rounds of schedules, task after task, so that nothing is lost or done twice however it
 * ends.
 *
 * <p>Every outcome goes to a journal at once; a finished round becomes a shard, in one move. What a
 * round measures follows from the settings and the rounds before it ({@link RoundPlanner}), so a
 * collection that is resumed plans the interrupted round again and measures what the journal lacks.
 */
public final class Collector implements AutoCloseable {
  /** Hears what happens, and may end it. */
  public interface Observer {
    /**
     * An outcome is known and saved.
     *
     * @param record the outcome
     * @param done outcomes so far, also of earlier processes
     * @param total outcomes in all
     */
    void measured(Measurement record, long done, long total);

    /** Something the user should know. */
    void warn(String line);

    /** Whether to end now; asked after every outcome. */
    boolean stopRequested();
  }

  /** Thrown through the measurer to leave it in mid-round. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped", null, false, false);
    }
  }

  /** Digits of a time that are kept: far more than repeats agree on. */
  private static final MathContext TIME_DIGITS = new MathContext(5);

  private static final MathContext ERROR_DIGITS = new MathContext(3);

  /**
   * What may be the end of the child process and no fault of the schedule: somebody killed it. Such
   * a schedule is measured once more, and recorded as failed only if that happens again.
   */
  private static final Set<Failure> ONCE_MORE = EnumSet.of(Failure.CRASH, Failure.BAD_ANSWER);

  private final CollectSettings settings;
  private final WorkerFolder folder;
  private final ScheduleMeasurer measurer;
  private final Observer observer;
  private final Disk disk;
  private long done;
  private long total;

  private Collector(
      CollectSettings settings,
      WorkerFolder folder,
      ScheduleMeasurer measurer,
      Observer observer,
      Disk disk) {
    this.settings = settings;
    this.folder = folder;
    this.measurer = measurer;
    this.observer = observer;
    this.disk = disk;
  }

  /**
   * Opens a worker's part of a data set.
   *
   * @param dataSet the data set's folder
   * @param measuring how schedules are measured, by option: like the draws, it cannot change
   * @param resume whether to go on with what is there
   * @param measurer measures; closed by whoever made it
   * @throws InputException if the folder cannot be used
   */
  public static Collector open(
      Path dataSet,
      CollectSettings settings,
      Map<String, String> measuring,
      boolean resume,
      ScheduleMeasurer measurer,
      Observer observer) {
    return open(dataSet, settings, measuring, resume, measurer, observer, Disk.REAL);
  }

  static Collector open(
      Path dataSet,
      CollectSettings settings,
      Map<String, String> measuring,
      boolean resume,
      ScheduleMeasurer measurer,
      Observer observer,
      Disk disk) {
    Map<String, String> fixed = new TreeMap<>(settings.fixed());
    fixed.putAll(measuring);
    WorkerFolder folder = WorkerFolder.open(dataSet, settings.worker(), fixed, resume, disk);
    return new Collector(settings, folder, measurer, observer, disk);
  }

  /** Outcomes that a collection of some tasks holds at its end, where no space is used up first. */
  public static long total(List<CollectTask> tasks, CollectSettings settings) {
    long perTask = 0;
    for (int begun = 0; begun < settings.schedules(); begun += settings.roundSize()) {
      int size = Math.min(settings.roundSize(), settings.schedules() - begun);
      perTask += size + (begun == 0 ? 0 : Math.round(settings.repeatShare() * size));
    }
    return perTask * tasks.size();
  }

  /** Outcomes of these tasks that are in shards already. */
  public long finished(List<CollectTask> tasks) {
    return tasks.stream().mapToLong(task -> folder.shards().read(task).size()).sum();
  }

  /**
   * Collects.
   *
   * @return whether all tasks are done; false if the observer asked to stop
   */
  public boolean collect(List<CollectTask> tasks) {
    total = total(tasks, settings);
    done = finished(tasks);
    try {
      for (CollectTask task : tasks) {
        if (observer.stopRequested()) {
          return false;
        }
        collect(task);
      }
      return true;
    } catch (Stopped stopped) {
      return false;
    }
  }

  private void collect(CollectTask task) {
    Shards shards = folder.shards();
    List<Measurement> records = shards.read(task);
    if (RoundPlanner.distinct(records) >= settings.schedules()) {
      deleteJournal(task);
      return;
    }
    SparsityPattern matrix = MatrixReader.read(task.file());
    if (matrix.rows() == 0 || matrix.cols() == 0) {
      observer.warn(task.file() + ": a matrix without rows or columns, passed over");
      return;
    }
    Problem problem = Problem.of(task.op(), matrix);
    RoundPlanner planner = new RoundPlanner(settings, task, problem);
    for (int round = shards.rounds(task); ; round++) {
      List<Planned> plan = planner.plan(round, records);
      if (plan.isEmpty()) {
        deleteJournal(task);
        return;
      }
      records.addAll(measure(task, matrix, problem, round, plan));
      if (observer.stopRequested()) {
        throw new Stopped();
      }
    }
  }

  /** Measures what the journal lacks of a round and makes the round a shard. */
  private List<Measurement> measure(
      CollectTask task, SparsityPattern matrix, Problem problem, int round, List<Planned> plan) {
    createFolder(folder.shards().folder(task.op(), task.matrix()));
    Map<Integer, Measurement> results = recovered(task, round, plan);
    done += results.size();
    List<Integer> missing = new ArrayList<>();
    for (int index = 0; index < plan.size(); index++) {
      if (!results.containsKey(index)) {
        missing.add(index);
      }
    }
    if (!missing.isEmpty()) {
      try (Journal journal = Journal.open(folder.shards().journal(task), disk)) {
        RoundRun run = new RoundRun(task, round, plan, journal, results);
        List<Integer> died = run.measure(matrix, problem, missing, ONCE_MORE);
        if (!died.isEmpty()) {
          run.measure(matrix, problem, died, Set.of());
        }
      }
    }
    List<Measurement> records = List.copyOf(results.values());
    Path shard = folder.shards().file(task, round);
    try {
      disk.write(shard, Shards.encode(records));
    } catch (IOException e) {
      throw new FileWriteException(shard, e);
    }
    deleteJournal(task);
    return records;
  }

  private static void createFolder(Path directory) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new FileWriteException(directory, e);
    }
  }

  /** A journal whose round is a shard; also one that a crash between the two left behind. */
  private void deleteJournal(CollectTask task) {
    Path journal = folder.shards().journal(task);
    try {
      if (Files.exists(journal)) {
        disk.delete(journal);
      }
    } catch (IOException e) {
      throw new FileWriteException(journal, e);
    }
  }

  /** The outcomes of a round that its journal has, by index. */
  private Map<Integer, Measurement> recovered(CollectTask task, int round, List<Planned> plan) {
    Map<Integer, Measurement> results = new TreeMap<>();
    Path journal = folder.shards().journal(task);
    for (Measurement record :
        Journal.recover(journal, record -> record.origin().round() == round, disk)) {
      int index = record.origin().index();
      if (index >= plan.size() || !plan.get(index).schedule().equals(record.schedule())) {
        throw new InputException(
            journal
                + ": round "
                + round
                + " index "
                + index
                + " is not the schedule that this round has there: the matrix or the program has"
                + " changed since; delete the journal to measure the round again");
      }
      results.put(index, record);
    }
    return results;
  }

  /** One round while it is being measured. */
  private final class RoundRun {
    private final CollectTask task;
    private final int round;
    private final List<Planned> plan;
    private final Journal journal;
    private final Map<Integer, Measurement> results;

    RoundRun(
        CollectTask task,
        int round,
        List<Planned> plan,
        Journal journal,
        Map<Integer, Measurement> results) {
      this.task = task;
      this.round = round;
      this.plan = plan;
      this.journal = journal;
      this.results = results;
    }

    /**
     * Measures some of the round's schedules.
     *
     * @param retried failures that are not recorded but returned
     * @return the indexes of schedules that failed so
     */
    List<Integer> measure(
        SparsityPattern matrix, Problem problem, List<Integer> indexes, Set<Failure> retried) {
      List<Schedule> schedules = indexes.stream().map(index -> plan.get(index).schedule()).toList();
      List<Integer> failed = new ArrayList<>();
      measurer.measure(
          matrix,
          problem,
          schedules,
          (place, schedule, outcome) -> {
            int index = indexes.get(place);
            if (outcome instanceof Outcome.Failed failure && retried.contains(failure.failure())) {
              failed.add(index);
            } else {
              record(index, outcome);
            }
            if (observer.stopRequested()) {
              throw new Stopped();
            }
          });
      return failed;
    }

    private void record(int index, Outcome outcome) {
      Measurement record = measurement(index, outcome);
      journal.append(record);
      results.put(index, record);
      done++;
      observer.measured(record, done, total);
    }

    private Measurement measurement(int index, Outcome outcome) {
      Planned planned = plan.get(index);
      Measurement.Origin origin =
          new Measurement.Origin(
              settings.worker(), round, index, planned.draw(), settings.mutationShare());
      List<Double> times = List.of();
      double error = 0;
      Optional<Measurement.Reason> reason = Optional.empty();
      if (outcome instanceof Outcome.Timed timed) {
        times = timed.milliseconds().stream().map(ms -> rounded(ms, TIME_DIGITS)).toList();
        error = rounded(timed.relativeError(), ERROR_DIGITS);
      } else if (outcome instanceof Outcome.Failed failed) {
        reason = Optional.of(new Measurement.Reason(failed.failure().id(), failed.detail()));
      }
      return new Measurement(
          task.op(), task.matrix(), planned.schedule(), origin, times, error, reason);
    }
  }

  private static double rounded(double value, MathContext digits) {
    return new BigDecimal(value).round(digits).doubleValue();
  }

  /** Gives the folder free for other processes. */
  @Override
  public void close() {
    folder.close();
  }
}
