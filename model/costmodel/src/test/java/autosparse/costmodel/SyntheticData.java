package autosparse.costmodel;

import autosparse.costmodel.training.TrainingData;
import autosparse.schedule.AxisSplit;
import autosparse.schedule.Dataset;
import autosparse.schedule.LevelModes;
import autosparse.schedule.LevelModes.AxisMode;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.MeasuredSchedule;
import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.Split;
import autosparse.schedule.StorageOrder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A data set small enough for a test: a few random matrices, and schedules whose latency is made up
 * from what decides it in earnest (iterations for each thread, the innermost loop, the format).
 */
public final class SyntheticData {
  private static final int THREADS = 8;

  private final Path folder;

  private SyntheticData(Path folder) {
    this.folder = folder;
  }

  /**
   * Writes a data set of {@code matrices} matrices {@code m0, m1, …}.
   *
   * @param perTask schedules of each task, in the order of {@code ops} and then of the matrices;
   *     the last number counts for the rest
   */
  public static SyntheticData write(Path folder, int matrices, List<Op> ops, int... perTask)
      throws IOException {
    List<SparsityPattern> patterns = new ArrayList<>();
    Files.createDirectories(folder.resolve("matrices"));
    for (int m = 0; m < matrices; m++) {
      SparsityPattern pattern = pattern("m" + m, 24 + 20 * m, 40, 3 + m, 17L + m);
      patterns.add(pattern);
      writeCsr(folder.resolve("matrices/m" + m + ".csr"), pattern);
    }
    int task = 0;
    for (Op op : ops) {
      Path records = Files.createDirectories(folder.resolve("records").resolve(op.id()));
      for (SparsityPattern pattern : patterns) {
        int count = perTask[Math.min(task, perTask.length - 1)];
        List<String> lines = new ArrayList<>();
        Problem problem = Problem.of(op, pattern);
        for (Schedule schedule : schedules(problem, count, 1000L + task)) {
          lines.add(MeasuredSchedule.of(schedule, latency(schedule, problem)).encode());
        }
        Files.write(records.resolve(pattern.name() + ".txt"), lines);
        task++;
      }
    }
    return new SyntheticData(folder);
  }

  /** The folder of records. */
  public Path records() {
    return folder.resolve("records");
  }

  /** The folder of matrices. */
  public Path matrices() {
    return folder.resolve("matrices");
  }

  /** The data set, split at random. */
  public TrainingData load(List<Op> ops) {
    return TrainingData.load(
        Split.random(Dataset.load(records(), ops), 1), MatrixFolder.open(matrices()));
  }

  /** A random pattern with about {@code perRow} nonzeros in each row, none in every seventh. */
  public static SparsityPattern pattern(String name, int rows, int cols, int perRow, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] rowPointers = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      for (int column = 0; row % 7 != 3 && column < cols; column++) {
        if (random.nextInt(cols) < perRow) {
          columns.add(column);
        }
      }
      rowPointers[row + 1] = columns.size();
    }
    return SparsityPattern.of(
        name, rows, cols, rowPointers, columns.stream().mapToInt(Integer::intValue).toArray());
  }

  /** Writes a pattern as a {@code .csr} file. */
  public static void writeCsr(Path file, SparsityPattern pattern) throws IOException {
    int ints = 3 + pattern.rows() + 1 + (int) pattern.nnz();
    ByteBuffer bytes = ByteBuffer.allocate(4 * ints).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(pattern.rows()).putInt(pattern.cols()).putInt((int) pattern.nnz());
    for (long pointer : pattern.rowPointers()) {
      bytes.putInt((int) pointer);
    }
    for (int column : pattern.columns()) {
      bytes.putInt(column);
    }
    Files.write(file, bytes.array());
  }

  /** Distinct random schedules. */
  public static List<Schedule> schedules(Problem problem, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Set<Schedule> seen = new HashSet<>();
    List<Schedule> schedules = new ArrayList<>();
    while (schedules.size() < count) {
      Schedule schedule = schedule(problem, random);
      if (seen.add(schedule.canonical())) {
        schedules.add(schedule);
      }
    }
    return schedules;
  }

  private static Schedule schedule(Problem problem, SplittableRandom random) {
    Op op = problem.op();
    List<AxisSplit> format = new ArrayList<>();
    List<AxisSplit> dense = new ArrayList<>();
    List<String> left = new ArrayList<>();
    for (String axis : op.axes()) {
      (op.isSparse(axis) ? format : dense).add(new AxisSplit(axis, 0, 1L << random.nextInt(5)));
      left.add(axis + "0");
    }
    List<String> loops = new ArrayList<>();
    while (!left.isEmpty()) {
      String next = left.remove(random.nextInt(left.size()));
      loops.add(next);
      if (next.endsWith("0")) {
        left.add(Op.logicalAxis(next) + "1");
      }
    }
    List<String> levels = loops.stream().filter(op::isSparse).toList();
    List<AxisMode> modes = new ArrayList<>();
    for (String level : levels.stream().sorted().toList()) {
      modes.add(new AxisMode(level, random.nextBoolean() ? Mode.DENSE : Mode.COMPRESSED));
    }
    String outermost = loops.stream().filter(loop -> !op.isReduction(loop)).findFirst().get();
    String last = loops.get(loops.size() - 1);
    boolean parallel = random.nextInt(4) > 0;
    boolean vector = !op.isSparse(last) && !op.isReduction(last) && random.nextBoolean();
    Schedule schedule =
        new Schedule(
            format,
            op.sparseTensors().stream().map(tensor -> new StorageOrder(tensor, levels)).toList(),
            op.sparseTensors().stream().map(tensor -> new LevelModes(tensor, modes)).toList(),
            dense,
            loops,
            parallel ? Optional.of(outermost) : Optional.empty(),
            vector && !last.equals(outermost) ? Optional.of(last) : Optional.empty(),
            Optional.empty(),
            0,
            THREADS,
            1 << random.nextInt(10));
    return schedule.withPublishedOuterSizes(problem);
  }

  /** Milliseconds that a schedule is said to take. */
  public static double latency(Schedule schedule, Problem problem) {
    ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
    double work = 1 + problem.nnz() / 100.0;
    double share = schedule.parallelAxis().isEmpty() ? 1 : 1 / geometry.chunks();
    double time = work * Math.max(1.0 / THREADS, Math.min(1, share));
    for (ScheduleGeometry.Loop loop : geometry.loops()) {
      boolean packed = loop.mode().isPresent() && loop.mode().get() == Mode.COMPRESSED;
      time *= packed ? 1.25 : 1;
    }
    return time * (schedule.vectorizedAxis().isPresent() ? 0.5 : 1);
  }
}
