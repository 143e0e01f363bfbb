package autosparse.kernels;

import autosparse.kernels.DeviceRange.Piece;
import autosparse.kernels.Driver.DeviceBlock;
import autosparse.kernels.Driver.Event;
import autosparse.kernels.Driver.PinnedBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Page-locked memory that copies from the heap to the device go through, on one stream.
 *
 * <p>A ring of sections: copies are laid behind each other, so many small ones wait for nothing. A
 * section is entered again only when the device has read what lay in it; that wait is the only one,
 * and a copy as large as the ring has one for each further section.
 */
final class Staging {
  /** Bytes of a section: a copy of this size takes some 0.1 ms, far above a copy's fixed cost. */
  static final int PIECE = 4 << 20;

  private static final int ALIGNMENT = 256;

  private final CudaContext context;
  private final Driver driver;
  private final Driver.Stream stream;
  private final PinnedBlock[] sections;
  private final Event[] read;
  private int section;
  private int used;

  /**
   * @param sections number of sections of {@link #PIECE} bytes
   */
  Staging(CudaContext context, Driver driver, Driver.Stream stream, int sections) {
    this.context = context;
    this.driver = driver;
    this.stream = stream;
    this.sections = new PinnedBlock[sections];
    this.read = new Event[sections];
    for (int s = 0; s < sections; s++) {
      this.sections[s] = context.pin(HostLedger.Kind.STAGING, PIECE);
      read[s] = driver.createEvent();
      driver.record(read[s], stream);
    }
  }

  /** Copies {@code bytes} to the device; returns when the source may be changed. */
  void write(DeviceBlock block, long offset, long bytes, Piece fill) {
    context.run(
        "copying " + bytes + " bytes to the device",
        () -> {
          for (long at = 0; at < bytes; at += PIECE) {
            int length = (int) Math.min(PIECE, bytes - at);
            if (length > PIECE - used) {
              turn();
            }
            ByteBuffer place =
                sections[section].buffer().duplicate().order(ByteOrder.nativeOrder());
            fill.move(
                place.limit(used + length).position(used).slice().order(place.order()), at, length);
            driver.copyToDevice(block, offset + at, sections[section], used, length, stream);
            used = Math.min(PIECE, (used + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
          }
        });
  }

  private void turn() {
    driver.record(read[section], stream);
    section = (section + 1) % sections.length;
    driver.synchronize(read[section]);
    used = 0;
  }

  void close() {
    for (int s = 0; s < sections.length; s++) {
      driver.destroy(read[s]);
      context.unpin(HostLedger.Kind.STAGING, sections[s], PIECE);
    }
  }
}
