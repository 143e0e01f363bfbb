package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import autosparse.schedule.Measurement;
import autosparse.schedule.MeasurementFormat;
import autosparse.schedule.SourceLocation;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The outcomes of the round in progress, a line each, written as soon as they are known. When the
 * process is killed nothing written is lost; when the power fails, at most the last second.
 */
final class Journal implements Closeable {
  private static final long FORCE_NANOS = Duration.ofSeconds(1).toNanos();

  private final Path file;
  private final Disk.Appender appender;
  private long forcedNanos = System.nanoTime();

  private Journal(Path file, Disk.Appender appender) {
    this.file = file;
    this.appender = appender;
  }

  /** Opens a journal to append, after {@link #recover}. */
  static Journal open(Path file, Disk disk) {
    try {
      return new Journal(file, disk.append(file));
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  /**
   * The outcomes of a round that are in a journal; what else is in it, is removed from it: lines of
   * a round that became a shard, and from the first line on that is not whole.
   *
   * @param belongs whether a line is of the round in progress
   */
  static List<Measurement> recover(Path file, Predicate<Measurement> belongs, Disk disk) {
    List<Measurement> kept = new ArrayList<>();
    if (!Files.exists(file)) {
      return kept;
    }
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8);
      StringBuilder whole = new StringBuilder();
      MeasurementFormat format = new MeasurementFormat();
      int start = 0;
      for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        Measurement measurement;
        try {
          measurement = format.parse(text.substring(start, end), SourceLocation.of(file));
        } catch (InputException torn) {
          // A block that never reached the device: what follows it is not to be trusted.
          break;
        }
        if (belongs.test(measurement)) {
          kept.add(measurement);
          whole.append(text, start, end + 1);
        }
        start = end + 1;
      }
      if (whole.length() != text.length()) {
        disk.write(file, whole.toString().getBytes(StandardCharsets.UTF_8));
      }
      return kept;
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  /** Appends an outcome. */
  void append(Measurement measurement) {
    try {
      appender.write(
          (MeasurementFormat.encode(measurement) + "\n").getBytes(StandardCharsets.UTF_8));
      long now = System.nanoTime();
      if (now - forcedNanos >= FORCE_NANOS) {
        appender.force();
        forcedNanos = now;
      }
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  @Override
  public void close() {
    try {
      appender.close();
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }
}
