package autosparse.tuner.measure;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * Reads what a child process prints, so that it never waits for a reader, and keeps the beginning.
 */
final class OutputDrain {
  private static final int KEPT = 16 * 1024;

  private final Thread thread;
  private final byte[] kept = new byte[KEPT];
  private int size;

  private OutputDrain(InputStream stream) {
    thread = new Thread(() -> drain(stream), "child-output");
    thread.setDaemon(true);
  }

  /** Starts reading; ends by itself at the end of the stream. */
  static OutputDrain of(InputStream stream) {
    OutputDrain drain = new OutputDrain(stream);
    drain.thread.start();
    return drain;
  }

  private void drain(InputStream stream) {
    byte[] buffer = new byte[8192];
    try (stream) {
      for (int read = stream.read(buffer); read >= 0; read = stream.read(buffer)) {
        keep(buffer, read);
      }
    } catch (IOException e) {
      // The stream breaks when the process is killed while being read: what there is, is kept.
      keep(new byte[0], 0);
    }
  }

  private synchronized void keep(byte[] buffer, int length) {
    int copied = Math.min(length, KEPT - size);
    System.arraycopy(buffer, 0, kept, size, copied);
    size += copied;
  }

  /** Forgets what was printed until now. */
  synchronized void clear() {
    size = 0;
  }

  /** What was printed since the last {@link #clear}, its first 16 KB. */
  synchronized String text() {
    return new String(kept, 0, size, StandardCharsets.UTF_8);
  }

  /** Waits for the end of the stream, but no longer than given. */
  void await(Duration limit) throws InterruptedException {
    thread.join(limit.toMillis());
  }

  /**
   * The first line that has a letter or digit (sanitizers begin with a bar), fit for a one-line
   * message.
   */
  Optional<String> firstLine() {
    return firstLine(text());
  }

  static Optional<String> firstLine(String text) {
    return text.lines()
        .filter(line -> line.chars().anyMatch(Character::isLetterOrDigit))
        .findFirst()
        .map(OutputDrain::printable);
  }

  /** One line of at most 200 characters without control characters. */
  static String printable(String line) {
    String text = line.strip().replaceAll("\\p{Cntrl}", "\uFFFD");
    return text.length() <= 200 ? text : text.substring(0, 200) + "...";
  }
}
