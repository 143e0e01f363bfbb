package autosparse.kernels;

import java.nio.ByteBuffer;

/**
 * A block of a device's memory, copied to and from Java arrays through page-locked buffers, in
 * pieces, so that a large copy neither pins the heap nor needs a second copy of the whole.
 *
 * <p>A copy sees what was queued before it; a read waits for it. Offsets are bytes, {@code at} and
 * {@code count} are elements of the array.
 */
public final class DeviceRange implements AutoCloseable {
  private final CudaContext context;
  private final Driver.DeviceBlock block;
  private final long bytes;
  private boolean closed;

  DeviceRange(CudaContext context, Driver.DeviceBlock block, long bytes) {
    this.context = context;
    this.block = block;
    this.bytes = bytes;
  }

  /** Address of the first byte, for kernels; a multiple of 256. */
  public long address() {
    return block.address();
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Copies elements of an array to the device; returns when the array may be changed. */
  public void write(long offset, float[] source, int at, int count) {
    write(
        offset,
        Float.BYTES,
        count,
        (buffer, from, length) -> buffer.asFloatBuffer().put(source, at + from, length));
  }

  /** As {@link #write(long, float[], int, int)}. */
  public void write(long offset, double[] source, int at, int count) {
    write(
        offset,
        Double.BYTES,
        count,
        (buffer, from, length) -> buffer.asDoubleBuffer().put(source, at + from, length));
  }

  /** As {@link #write(long, float[], int, int)}. */
  public void write(long offset, int[] source, int at, int count) {
    write(
        offset,
        Integer.BYTES,
        count,
        (buffer, from, length) -> buffer.asIntBuffer().put(source, at + from, length));
  }

  /** As {@link #write(long, float[], int, int)}. */
  public void write(long offset, long[] source, int at, int count) {
    write(
        offset,
        Long.BYTES,
        count,
        (buffer, from, length) -> buffer.asLongBuffer().put(source, at + from, length));
  }

  /** As {@link #write(long, float[], int, int)}. */
  public void write(long offset, short[] source, int at, int count) {
    write(
        offset,
        Short.BYTES,
        count,
        (buffer, from, length) -> buffer.asShortBuffer().put(source, at + from, length));
  }

  /** Copies elements from the device to an array; returns when they are there. */
  public void read(long offset, float[] target, int at, int count) {
    read(
        offset,
        Float.BYTES,
        count,
        (buffer, from, length) -> buffer.asFloatBuffer().get(target, at + from, length));
  }

  /** As {@link #read(long, float[], int, int)}. */
  public void read(long offset, double[] target, int at, int count) {
    read(
        offset,
        Double.BYTES,
        count,
        (buffer, from, length) -> buffer.asDoubleBuffer().get(target, at + from, length));
  }

  /** As {@link #read(long, float[], int, int)}. */
  public void read(long offset, int[] target, int at, int count) {
    read(
        offset,
        Integer.BYTES,
        count,
        (buffer, from, length) -> buffer.asIntBuffer().get(target, at + from, length));
  }

  /** As {@link #read(long, float[], int, int)}. */
  public void read(long offset, long[] target, int at, int count) {
    read(
        offset,
        Long.BYTES,
        count,
        (buffer, from, length) -> buffer.asLongBuffer().get(target, at + from, length));
  }

  /** As {@link #read(long, float[], int, int)}. */
  public void read(long offset, short[] target, int at, int count) {
    read(
        offset,
        Short.BYTES,
        count,
        (buffer, from, length) -> buffer.asShortBuffer().get(target, at + from, length));
  }

  /** Moves some elements of a copy, from number {@code from} on, between array and buffer. */
  @FunctionalInterface
  private interface Elements {
    void move(ByteBuffer buffer, int from, int count);

    default Piece ofWidth(int width) {
      return (buffer, from, length) -> move(buffer, (int) (from / width), length / width);
    }
  }

  private void write(long offset, int width, int count, Elements elements) {
    long length = (long) width * count;
    context.staging().write(block, check(offset, length), length, elements.ofWidth(width));
  }

  private void read(long offset, int width, int count, Elements elements) {
    long length = (long) width * count;
    context.fetching().read(block, check(offset, length), length, elements.ofWidth(width));
  }

  /** Queues {@code words} copies of a 32-bit word from {@code offset} on. */
  public void fill(long offset, int word, long words) {
    check(offset, 4 * words);
    if (words > 0) {
      context.run(
          "filling " + 4 * words + " bytes",
          () -> context.driver().fill(block, offset, word, words, context.copyStream()));
    }
  }

  private long check(long offset, long length) {
    if (closed) {
      throw new IllegalStateException("this range of device memory was given back");
    }
    if (offset < 0 || length < 0 || offset + length > bytes) {
      throw new IndexOutOfBoundsException(
          length + " bytes at " + offset + " of a range of " + bytes);
    }
    return offset;
  }

  /** Moves one piece between an array and a page-locked buffer, whose position is 0. */
  @FunctionalInterface
  interface Piece {
    /**
     * @param from first byte of the piece in the whole copy
     */
    void move(ByteBuffer buffer, long from, int length);
  }

  @Override
  public void close() {
    if (!closed) {
      context.run(
          "giving back " + bytes + " bytes",
          () -> {
            context.driver().synchronize(context.stream());
            context.driver().free(block);
          });
      closed = true;
    }
  }
}
