package autosparse.trainer.run;

import java.io.PrintStream;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Lines with the time of day, at most one in ten seconds; the first and the last always. */
final class LineProgress implements Progress {
  private static final long INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");

  private final PrintStream out;
  private final String task;
  private final long firstDone;
  private final long total;
  private final LongSupplier nanos;
  private final Supplier<LocalTime> timeOfDay;
  private final long startNanos;

  private long lastNanos;
  private boolean printed;
  private String pending;

  LineProgress(PrintStream out, String task, long done, long total) {
    this(out, task, done, total, System::nanoTime, LocalTime::now);
  }

  LineProgress(
      PrintStream out,
      String task,
      long done,
      long total,
      LongSupplier nanos,
      Supplier<LocalTime> timeOfDay) {
    this.out = out;
    this.task = task;
    this.firstDone = done;
    this.total = total;
    this.nanos = nanos;
    this.timeOfDay = timeOfDay;
    this.startNanos = nanos.getAsLong();
  }

  @Override
  public void update(long done, String note) {
    long now = nanos.getAsLong();
    pending = describe(done, note, Duration.ofNanos(now - startNanos));
    if (!printed || now - lastNanos >= INTERVAL_NANOS) {
      print(pending);
      pending = null;
      printed = true;
      lastNanos = now;
    }
  }

  @Override
  public void message(String line) {
    print(line);
  }

  @Override
  public void close() {
    if (pending != null) {
      print(pending);
      pending = null;
    }
  }

  private String describe(long done, String note, Duration elapsed) {
    StringBuilder line = new StringBuilder(task).append(' ').append(done);
    if (total > 0) {
      line.append('/').append(total).append(" (").append(done * 100 / total).append(" %)");
    }
    line.append(", ").append(clock(elapsed)).append(" elapsed");
    if (total > done && done > firstDone) {
      double perUnit = (double) elapsed.toNanos() / (done - firstDone);
      line.append(", ").append(clock(Duration.ofNanos((long) (perUnit * (total - done)))));
      line.append(" left");
    }
    return note.isEmpty() ? line.toString() : line.append(", ").append(note).toString();
  }

  private void print(String line) {
    out.println(TIME.format(timeOfDay.get()) + " " + line);
  }

  /** {@code 1:02:03} or {@code 2:03}. */
  static String clock(Duration duration) {
    long seconds = duration.toSeconds();
    return seconds >= 3600
        ? String.format("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
        : String.format("%d:%02d", seconds / 60, seconds % 60);
  }
}
