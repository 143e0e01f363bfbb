package autosparse.kernels;

import autosparse.kernels.DeviceRange.Piece;
import autosparse.kernels.Driver.DeviceBlock;
import autosparse.kernels.Driver.Event;
import autosparse.kernels.Driver.PinnedBlock;
import java.nio.ByteOrder;

/**
 * Two page-locked buffers that copies from the device to the heap go through: while the device
 * fills one, the other is emptied.
 */
final class Fetching {
  /** One is filled while the other is emptied. */
  static final int BUFFERS = 2;

  private static final int PIECE = Staging.PIECE;

  private final CudaContext context;
  private final Driver driver;
  private final Driver.Stream stream;
  private final PinnedBlock[] buffers = new PinnedBlock[BUFFERS];
  private final Event[] filled = new Event[BUFFERS];

  Fetching(CudaContext context, Driver driver, Driver.Stream stream) {
    this.context = context;
    this.driver = driver;
    this.stream = stream;
    for (int b = 0; b < buffers.length; b++) {
      buffers[b] = context.pin(HostLedger.Kind.STAGING, PIECE);
      filled[b] = driver.createEvent();
    }
  }

  /** Copies {@code bytes} from the device; returns when they are there. */
  void read(DeviceBlock block, long offset, long bytes, Piece empty) {
    context.run(
        "copying " + bytes + " bytes from the device",
        () -> {
          context.countWait();
          queue(block, offset, bytes, 0);
          for (long at = 0; at < bytes; at += PIECE) {
            queue(block, offset, bytes, at + PIECE);
            int b = (int) (at / PIECE % 2);
            driver.synchronize(filled[b]);
            empty.move(
                buffers[b].buffer().duplicate().order(ByteOrder.nativeOrder()).rewind(),
                at,
                (int) Math.min(PIECE, bytes - at));
          }
        });
  }

  private void queue(DeviceBlock block, long offset, long bytes, long at) {
    if (at < bytes) {
      int b = (int) (at / PIECE % 2);
      long length = Math.min(PIECE, bytes - at);
      driver.copyToHost(buffers[b], block, offset + at, length, stream);
      driver.record(filled[b], stream);
    }
  }

  void close() {
    for (int b = 0; b < buffers.length; b++) {
      driver.destroy(filled[b]);
      context.unpin(HostLedger.Kind.STAGING, buffers[b], PIECE);
    }
  }
}
