package autosparse.kernels;

import autosparse.kernels.DeviceRange.Piece;
import autosparse.kernels.Driver.DeviceBlock;
import autosparse.kernels.Driver.Event;
import autosparse.kernels.Driver.PinnedBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Two page-locked buffers that copies between the heap and the device go through: while the device
 * works on one, the other is filled or emptied.
 */
final class Staging {
  /** Bytes of one buffer: a copy of this size takes some 0.1 ms, far above a copy's fixed cost. */
  static final int PIECE = 4 << 20;

  private final CudaContext context;
  private final Driver driver;
  private final Driver.Stream stream;
  private final PinnedBlock[] buffers = new PinnedBlock[2];
  private final Event[] done = new Event[2];

  Staging(CudaContext context, Driver driver, Driver.Stream stream) {
    this.context = context;
    this.driver = driver;
    this.stream = stream;
    for (int b = 0; b < buffers.length; b++) {
      buffers[b] = driver.allocatePinned(PIECE);
      done[b] = driver.createEvent();
      driver.record(done[b], stream);
    }
  }

  /** Copies {@code bytes} to the device; returns when the source may be changed. */
  void write(DeviceBlock block, long offset, long bytes, Piece fill) {
    context.run(
        "copying " + bytes + " bytes to the device",
        () -> {
          for (long at = 0; at < bytes; at += PIECE) {
            int b = (int) (at / PIECE % 2);
            int length = (int) Math.min(PIECE, bytes - at);
            driver.synchronize(done[b]);
            fill.move(buffer(b), at, length);
            driver.copyToDevice(block, offset + at, buffers[b], length, stream);
            driver.record(done[b], stream);
          }
        });
  }

  /** Copies {@code bytes} from the device; returns when they are there. */
  void read(DeviceBlock block, long offset, long bytes, Piece empty) {
    context.run(
        "copying " + bytes + " bytes from the device",
        () -> {
          queue(block, offset, bytes, 0);
          for (long at = 0; at < bytes; at += PIECE) {
            queue(block, offset, bytes, at + PIECE);
            int b = (int) (at / PIECE % 2);
            driver.synchronize(done[b]);
            empty.move(buffer(b), at, (int) Math.min(PIECE, bytes - at));
          }
        });
  }

  private void queue(DeviceBlock block, long offset, long bytes, long at) {
    if (at < bytes) {
      int b = (int) (at / PIECE % 2);
      long length = Math.min(PIECE, bytes - at);
      driver.copyToHost(buffers[b], block, offset + at, length, stream);
      driver.record(done[b], stream);
    }
  }

  private ByteBuffer buffer(int b) {
    return buffers[b].buffer().duplicate().order(ByteOrder.nativeOrder()).rewind();
  }

  void close() {
    for (int b = 0; b < buffers.length; b++) {
      driver.destroy(done[b]);
      driver.freePinned(buffers[b]);
    }
  }
}
