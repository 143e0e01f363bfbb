package autosparse.schedule;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One operator on one matrix with all schedules measured for it: each schedule once, with the
 * median of its measurements. Immutable. Schedules keep the order in which they first appeared.
 */
public final class Task {
  private final RecordFile file;
  private final List<Schedule> schedules;
  private final double[][] measurements;
  private final double[] latencies;
  private final Counts counts;

  private Task(RecordFile file, List<Schedule> schedules, double[][] measurements, Counts counts) {
    this.file = file;
    this.schedules = List.copyOf(schedules);
    this.measurements = measurements;
    this.counts = counts;
    this.latencies = new double[measurements.length];
    for (int s = 0; s < latencies.length; s++) {
      latencies[s] = Statistics.median(measurements[s]);
    }
  }

  /** Collects a task's records as they are read. */
  static final class Builder implements RecordReader.Visitor {
    private final RecordFile file;
    private final double limitMs;
    private final Map<Schedule, Integer> indexes = new LinkedHashMap<>();
    private final List<Schedule> schedules = new ArrayList<>();
    private final List<double[]> measurements = new ArrayList<>();
    private long lines;
    private long failed;
    private long dropped;
    private long merged;

    Builder(RecordFile file, double limitMs) {
      this.file = file;
      this.limitMs = limitMs;
    }

    @Override
    public void failed(Schedule schedule, SourceLocation source) {
      lines++;
      failed++;
    }

    @Override
    public void visit(MeasuredSchedule record, SourceLocation source) {
      lines++;
      if (record.latencyMs() >= limitMs) {
        dropped++;
        return;
      }
      Schedule ordered = record.schedule().inCanonicalOrder();
      // The canonical form, without putting it in order a second time.
      Integer known = indexes.putIfAbsent(ordered.withoutOuterSizes(), schedules.size());
      if (known == null) {
        schedules.add(ordered);
        measurements.add(new double[] {record.latencyMs()});
      } else {
        merged++;
        double[] before = measurements.get(known);
        double[] after = Arrays.copyOf(before, before.length + 1);
        after[before.length] = record.latencyMs();
        measurements.set(known, after);
      }
    }

    Task build() {
      return new Task(
          file,
          schedules,
          measurements.toArray(double[][]::new),
          new Counts(lines, failed, dropped, merged, schedules.size()));
    }
  }

  /**
   * A task of records that are in memory.
   *
   * @param file what it says of itself: operator, matrix, and a path for messages
   */
  public static Task of(RecordFile file, List<MeasuredSchedule> records) {
    Builder builder = new Builder(file, Double.POSITIVE_INFINITY);
    for (int line = 0; line < records.size(); line++) {
      builder.visit(records.get(line), new SourceLocation(file.path().toString(), line + 1));
    }
    return builder.build();
  }

  /** The operator. */
  public Op op() {
    return file.op();
  }

  /** The matrix's name. */
  public String matrix() {
    return file.matrix();
  }

  /** The matrix this one was resized from; see {@link MatrixNames#base}. */
  public String baseName() {
    return MatrixNames.base(file.matrix());
  }

  /** The file the records came from. */
  public Path recordFile() {
    return file.path();
  }

  /** The grammar the records came in; it decides the dense axis's extent, see {@link #problem}. */
  public RecordFile.Format format() {
    return file.format();
  }

  /** The task's operator on its matrix, with the dense axis as its records were measured. */
  public Problem problem(MatrixPattern pattern) {
    Problem problem = Problem.of(op(), pattern);
    return format() == RecordFile.Format.WACO
        ? problem.withDenseSize(op().wacoDenseSize())
        : problem;
  }

  /** Number of schedules. */
  public int size() {
    return latencies.length;
  }

  /** The schedules in canonical order, outer sizes as first stated; no two equal in effect. */
  public List<Schedule> schedules() {
    return schedules;
  }

  /** One schedule; see {@link #schedules()}. */
  public Schedule schedule(int index) {
    return schedules.get(index);
  }

  /** Median latency of one schedule in milliseconds. */
  public double latencyMs(int index) {
    return latencies[index];
  }

  /** All measurements of one schedule in milliseconds, in the order of the file; a copy. */
  public double[] measurementsMs(int index) {
    return measurements[index].clone();
  }

  /** How often one schedule was measured. */
  public int repeats(int index) {
    return measurements[index].length;
  }

  /** Smallest median latency in milliseconds; NaN for a task without schedules. */
  public double bestLatencyMs() {
    return Arrays.stream(latencies).min().orElse(Double.NaN);
  }

  /**
   * Bytes of heap that the schedules and their measurements take. Parts that schedules share, see
   * {@link ScheduleParser}, are few and not counted.
   */
  public long hostBytes() {
    long bytes = 2 * HeapSize.references(size()) + HeapSize.array(size(), Double.BYTES);
    bytes += size() * Schedule.HOST_BYTES;
    for (double[] times : measurements) {
      bytes += HeapSize.array(times.length, Double.BYTES);
    }
    return bytes;
  }

  /** What became of the file's lines. */
  public Counts counts() {
    return counts;
  }

  /** What the repeats of this task say about noise. */
  public NoiseStats noise() {
    return NoiseStats.of(List.of(this));
  }

  /** {@code op/matrix}. */
  public String id() {
    return op().id() + "/" + matrix();
  }

  @Override
  public String toString() {
    return id() + ", " + size() + " schedules";
  }
}
