package autosparse.tuner.collect;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The machine's disk until a given step, at which the process "dies" or the disk is full: the step
 * is done not at all, by half (a write) or wholly, and every later step fails too.
 */
final class FaultyDisk implements Disk {
  /** How far the fatal step gets. */
  enum Manner {
    BEFORE,
    HALF,
    AFTER
  }

  private final long fatalStep;
  private final Manner manner;
  private long steps;

  FaultyDisk(long fatalStep, Manner manner) {
    this.fatalStep = fatalStep;
    this.manner = manner;
  }

  /** Whether the fault happened. */
  boolean struck() {
    return steps >= fatalStep;
  }

  private interface Step {
    void run() throws IOException;
  }

  private void step(Step half, Step whole) throws IOException {
    steps++;
    if (steps < fatalStep) {
      whole.run();
      return;
    }
    if (steps == fatalStep && manner == Manner.HALF) {
      half.run();
    } else if (steps == fatalStep && manner == Manner.AFTER) {
      whole.run();
    }
    throw new IOException("No space left on device");
  }

  @Override
  public Appender append(Path file) throws IOException {
    Appender real = REAL.append(file);
    return new Appender() {
      @Override
      public void write(byte[] bytes) throws IOException {
        step(() -> real.write(Arrays.copyOf(bytes, bytes.length / 2)), () -> real.write(bytes));
      }

      @Override
      public void force() throws IOException {
        real.force();
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  @Override
  public void write(Path file, byte[] content) throws IOException {
    step(() -> {}, () -> REAL.write(file, content));
  }

  @Override
  public void delete(Path file) throws IOException {
    step(() -> {}, () -> REAL.delete(file));
  }
}
