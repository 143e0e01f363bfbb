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

  public long bytes() {
    return bytes;
  }

  public void write(long offset, float[] source, int at, int count) {
    context
        .staging()
        .write(
            block,
            check(offset, 4L * count),
            4L * count,
            (buffer, from, length) ->
                buffer.asFloatBuffer().put(source, at + (int) (from / 4), length / 4));
  }

  public void write(long offset, double[] source, int at, int count) {
    context
        .staging()
        .write(
            block,
            check(offset, 8L * count),
            8L * count,
            (buffer, from, length) ->
                buffer.asDoubleBuffer().put(source, at + (int) (from / 8), length / 8));
  }

  public void write(long offset, int[] source, int at, int count) {
    context
        .staging()
        .write(
            block,
            check(offset, 4L * count),
            4L * count,
            (buffer, from, length) ->
                buffer.asIntBuffer().put(source, at + (int) (from / 4), length / 4));
  }

  public void write(long offset, long[] source, int at, int count) {
    context
        .staging()
        .write(
            block,
            check(offset, 8L * count),
            8L * count,
            (buffer, from, length) ->
                buffer.asLongBuffer().put(source, at + (int) (from / 8), length / 8));
  }

  public void write(long offset, short[] source, int at, int count) {
    context
        .staging()
        .write(
            block,
            check(offset, 2L * count),
            2L * count,
            (buffer, from, length) ->
                buffer.asShortBuffer().put(source, at + (int) (from / 2), length / 2));
  }

  public void read(long offset, short[] target, int at, int count) {
    context
        .fetching()
        .read(
            block,
            check(offset, 2L * count),
            2L * count,
            (buffer, from, length) ->
                buffer.asShortBuffer().get(target, at + (int) (from / 2), length / 2));
  }

  public void read(long offset, float[] target, int at, int count) {
    context
        .fetching()
        .read(
            block,
            check(offset, 4L * count),
            4L * count,
            (buffer, from, length) ->
                buffer.asFloatBuffer().get(target, at + (int) (from / 4), length / 4));
  }

  public void read(long offset, double[] target, int at, int count) {
    context
        .fetching()
        .read(
            block,
            check(offset, 8L * count),
            8L * count,
            (buffer, from, length) ->
                buffer.asDoubleBuffer().get(target, at + (int) (from / 8), length / 8));
  }

  public void read(long offset, int[] target, int at, int count) {
    context
        .fetching()
        .read(
            block,
            check(offset, 4L * count),
            4L * count,
            (buffer, from, length) ->
                buffer.asIntBuffer().get(target, at + (int) (from / 4), length / 4));
  }

  public void read(long offset, long[] target, int at, int count) {
    context
        .fetching()
        .read(
            block,
            check(offset, 8L * count),
            8L * count,
            (buffer, from, length) ->
                buffer.asLongBuffer().get(target, at + (int) (from / 8), length / 8));
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
