package autosparse.schedule;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * Measured schedules of several matrices and operators: one {@link Task} per pair. Immutable.
 *
 * @param tasks the tasks, by operator as asked for, then by matrix name
 */
public record Dataset(List<Task> tasks) {
  /** Latencies from here on are dropped, as AutoSparse and WACO do in training. */
  public static final double DEFAULT_LIMIT_MS = 1000;

  /** Copies the list. */
  public Dataset {
    tasks = List.copyOf(tasks);
  }

  /**
   * Reads the records of some operators, dropping those of {@value #DEFAULT_LIMIT_MS} ms or more.
   */
  public static Dataset load(Path directory, List<Op> ops) {
    return load(directory, ops, DEFAULT_LIMIT_MS);
  }

  /**
   * Reads the records of some operators.
   *
   * @param directory see {@link RecordFolder}
   * @param ops the operators, each of which must have records
   * @param limitMs records that took at least as many milliseconds are dropped and counted
   * @throws InputException naming file and line, if a record cannot be read
   */
  public static Dataset load(Path directory, List<Op> ops, double limitMs) {
    RecordFolder folder = RecordFolder.open(directory);
    RecordReader reader = new RecordReader();
    List<Task> tasks = new ArrayList<>();
    for (Op op : ops) {
      for (RecordFile file : folder.files(op)) {
        Task.Builder task = new Task.Builder(file, limitMs);
        reader.forEach(file, (record, source) -> task.add(record));
        tasks.add(task.build());
      }
    }
    return new Dataset(tasks);
  }

  /** The tasks of one operator. */
  public List<Task> tasks(Op op) {
    return tasks.stream().filter(task -> task.op() == op).toList();
  }

  /** Names of all matrices, sorted, each once. */
  public List<String> matrices() {
    return List.copyOf(new TreeSet<>(tasks.stream().map(Task::matrix).toList()));
  }

  /** Names of all base matrices, sorted, each once; see {@link MatrixNames#base}. */
  public List<String> baseNames() {
    return List.copyOf(new TreeSet<>(tasks.stream().map(Task::baseName).toList()));
  }

  /**
   * The tasks on some matrices.
   *
   * @throws InputException if a name is no matrix of the data
   */
  public Dataset only(Collection<String> names) {
    for (String name : names) {
      if (!matrices().contains(name)) {
        throw new InputException(
            "matrix "
                + InputException.quote(name)
                + ", expected matrices of the data: "
                + String.join(", ", matrices()));
      }
    }
    return new Dataset(tasks.stream().filter(task -> names.contains(task.matrix())).toList());
  }

  /** What became of all lines read. */
  public Counts counts() {
    return tasks.stream().map(Task::counts).reduce(Counts.NONE, Counts::plus);
  }

  /** What became of the lines of one operator. */
  public Counts counts(Op op) {
    return tasks(op).stream().map(Task::counts).reduce(Counts.NONE, Counts::plus);
  }

  /** The noise in the tasks of one operator. */
  public NoiseStats noise(Op op) {
    return NoiseStats.of(tasks(op));
  }

  /**
   * Checks, before anything long starts, that every task's matrix is there.
   *
   * @throws InputException naming the record file whose matrix is missing, and the folder
   */
  public void requireMatrices(MatrixFolder folder) {
    tasks.forEach(task -> folder.require(task.matrix(), task.recordFile()));
  }
}
