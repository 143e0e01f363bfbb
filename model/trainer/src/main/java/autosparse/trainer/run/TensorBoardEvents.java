package autosparse.trainer.run;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.trainer.run.tensorboard.EventProtos.Event;
import autosparse.trainer.run.tensorboard.EventProtos.SessionLog;
import autosparse.trainer.run.tensorboard.EventProtos.Summary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.zip.CRC32C;

/**
 * Scalar curves for TensorBoard: a file of TFRecords, each one {@code Event}.
 *
 * <p>A record is length (8 bytes, little-endian), masked CRC-32C of the length, the message, masked
 * CRC-32C of the message. Every start of a run writes a file of its own; a start that goes on from
 * a step says so, and TensorBoard drops what older files say from there on.
 */
public final class TensorBoardEvents implements AutoCloseable {
  static final String PREFIX = "events.out.tfevents.";

  private static final String FILE_VERSION = "brain.Event:2";
  private static final int MASK_DELTA = 0xa282ead8;

  private final Path file;
  private final OutputStream out;
  private final InstantSource clock;

  private TensorBoardEvents(Path file, OutputStream out, InstantSource clock) {
    this.file = file;
    this.out = out;
    this.clock = clock;
  }

  /**
   * Starts a new file.
   *
   * @param lastStep the step that the run goes on from; 0 for a new run
   */
  public static TensorBoardEvents start(Path folder, long lastStep) {
    return start(folder, lastStep, InstantSource.system());
  }

  static TensorBoardEvents start(Path folder, long lastStep, InstantSource clock) {
    Path file = freeName(folder, clock.millis() / 1000);
    OutputStream out;
    try {
      out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
    TensorBoardEvents events = new TensorBoardEvents(file, out, clock);
    events.write(events.event(0).setFileVersion(FILE_VERSION));
    if (lastStep > 0) {
      SessionLog restart =
          SessionLog.newBuilder().setStatus(SessionLog.SessionStatus.START).build();
      events.write(events.event(lastStep + 1).setSessionLog(restart));
    }
    return events;
  }

  /** Names sort by time; starts within one second are numbered. */
  private static Path freeName(Path folder, long seconds) {
    int number = 0;
    Path file;
    do {
      file = folder.resolve(String.format("%s%010d.autosparse.%d", PREFIX, seconds, number));
      number++;
    } while (Files.exists(file));
    return file;
  }

  public Path file() {
    return file;
  }

  /** Adds a point to the curve {@code tag}. */
  public void scalar(long step, String tag, double value) {
    Summary.Value point =
        Summary.Value.newBuilder().setTag(tag).setSimpleValue((float) value).build();
    write(event(step).setSummary(Summary.newBuilder().addValue(point)));
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  private Event.Builder event(long step) {
    return Event.newBuilder().setWallTime(clock.millis() / 1000.0).setStep(step);
  }

  private void write(Event.Builder event) {
    try {
      out.write(record(event.build().toByteArray()));
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  /** One TFRecord, written in one piece so that a reader never sees half a record for long. */
  static byte[] record(byte[] message) {
    byte[] bytes = new byte[message.length + 16];
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putLong(message.length);
    buffer.putInt(maskedChecksum(bytes, 0, 8));
    buffer.put(message);
    buffer.putInt(maskedChecksum(bytes, 12, message.length));
    return bytes;
  }

  private static int maskedChecksum(byte[] bytes, int from, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, from, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + MASK_DELTA;
  }
}
