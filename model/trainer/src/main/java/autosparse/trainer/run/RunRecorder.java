package autosparse.trainer.run;

import autosparse.trainer.run.MetricsLog.Entry;
import autosparse.trainer.run.MetricsLog.Kind;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Takes down a run's figures: to {@code metrics.jsonl}, to TensorBoard, and for the report's
 * curves.
 *
 * <p>Write a step's figures before its checkpoint: a resumed run keeps those up to the checkpoint's
 * step and no others.
 */
public final class RunRecorder implements AutoCloseable {
  private final MetricsLog log;
  private final TensorBoardEvents events;
  private final List<Entry> entries = new ArrayList<>();

  private RunRecorder(MetricsLog log, TensorBoardEvents events) {
    this.log = log;
    this.events = events;
  }

  /**
   * Starts taking down.
   *
   * @param lastStep the step that the run goes on from; 0 for a new run
   */
  public static RunRecorder start(RunFolder folder, long lastStep) {
    MetricsLog log = MetricsLog.open(folder.metricsFile(), lastStep);
    RunRecorder recorder =
        new RunRecorder(log, TensorBoardEvents.start(folder.directory(), lastStep));
    if (Files.exists(folder.metricsFile())) {
      recorder.entries.addAll(MetricsLog.read(folder.metricsFile()));
    }
    return recorder;
  }

  /**
   * A training step's figures.
   *
   * @param values by name; {@code loss} is drawn in the report
   */
  public void trained(long step, int epoch, Map<String, Double> values) {
    record(new Entry(step, epoch, Kind.TRAIN, values));
  }

  /**
   * An evaluation's figures.
   *
   * @param step the last step before it
   * @param values by name; {@code top1}, {@code top5} and {@code pair_accuracy} are drawn in the
   *     report
   */
  public void evaluated(long step, int epoch, Map<String, Double> values) {
    record(new Entry(step, epoch, Kind.EVALUATE, values));
  }

  /** Everything taken down, by earlier starts of the run too, oldest first. */
  public List<Entry> entries() {
    return Collections.unmodifiableList(entries);
  }

  @Override
  public void close() {
    try (events;
        log) {
      entries.clear();
    }
  }

  private void record(Entry entry) {
    log.append(entry);
    entry
        .values()
        .forEach(
            (name, value) -> events.scalar(entry.step(), entry.kind().id() + "/" + name, value));
    entries.add(entry);
  }
}
