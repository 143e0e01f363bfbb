package autosparse.engine.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Host memory outside the Java heap: one range, reserved once, whose pages the operating system
 * commits when they are first touched.
 *
 * <p>Java's buffers reach 2^31 bytes, the range does not stop there: it is covered by overlapping
 * windows, so that any access of up to {@link #WINDOW_STEP} bytes lies inside one buffer.
 */
public final class HostMemory implements DeviceMemory {
  /** Distance between the starts of two windows, and the largest single access, in bytes. */
  public static final long WINDOW_STEP = 1L << 29;

  private static final int WINDOW_SHIFT = Long.numberOfTrailingZeros(WINDOW_STEP);

  private final long capacity;
  private final BytePointer base;

  /** Bytes from the start of the allocation to offset 0: makes offset 0 aligned. */
  private final long origin;

  private final FloatBuffer[] floats;
  private final DoubleBuffer[] doubles;
  private final IntBuffer[] ints;
  private final LongBuffer[] longs;
  private final ShortBuffer[] shorts;
  private boolean closed;

  /**
   * Reserves {@code capacity} bytes.
   *
   * @throws IllegalStateException when the operating system refuses the reservation
   */
  public HostMemory(long capacity) {
    this.capacity = capacity;
    Pointer block = Pointer.malloc(Math.max(capacity, 1) + RangeAllocator.ALIGNMENT);
    if (block == null || block.isNull()) {
      throw new IllegalStateException(
          "the operating system refuses to reserve "
              + capacity
              + " bytes of host memory (lower --memory-budget)");
    }
    base = new BytePointer(block);
    long misalignment = base.address() % RangeAllocator.ALIGNMENT;
    origin = misalignment == 0 ? 0 : RangeAllocator.ALIGNMENT - misalignment;
    int windows = (int) (capacity / WINDOW_STEP) + 1; // the end of the range lies in one too
    floats = new FloatBuffer[windows];
    doubles = new DoubleBuffer[windows];
    ints = new IntBuffer[windows];
    longs = new LongBuffer[windows];
    shorts = new ShortBuffer[windows];
    for (int w = 0; w < windows; w++) {
      long start = w * WINDOW_STEP;
      long end = Math.min(capacity, start + 2 * WINDOW_STEP);
      ByteBuffer window =
          base.getPointer(origin + start)
              .capacity(end - start)
              .asByteBuffer()
              .order(ByteOrder.nativeOrder());
      floats[w] = window.asFloatBuffer();
      doubles[w] = window.asDoubleBuffer();
      ints[w] = window.asIntBuffer();
      longs[w] = window.asLongBuffer();
      shorts[w] = window.asShortBuffer();
    }
  }

  @Override
  public long capacity() {
    return capacity;
  }

  /** The window that holds byte {@code offset}; use with {@link #index4}. */
  public FloatBuffer floats(long offset) {
    return floats[(int) (offset >>> WINDOW_SHIFT)];
  }

  public IntBuffer ints(long offset) {
    return ints[(int) (offset >>> WINDOW_SHIFT)];
  }

  public LongBuffer longs(long offset) {
    return longs[(int) (offset >>> WINDOW_SHIFT)];
  }

  /** Index of byte {@code offset} in its window's float (or int) buffer. */
  public static int index4(long offset) {
    return (int) ((offset & (WINDOW_STEP - 1)) >>> 2);
  }

  /** Index of byte {@code offset} in its window's long (or double) buffer. */
  public static int index8(long offset) {
    return (int) ((offset & (WINDOW_STEP - 1)) >>> 3);
  }

  private static int index2(long offset) {
    return (int) ((offset & (WINDOW_STEP - 1)) >>> 1);
  }

  /** A native pointer to byte {@code offset}, for BLAS; its position is 0. */
  public FloatPointer floatPointer(long offset) {
    return new FloatPointer(base).getPointer((origin + offset) / Float.BYTES);
  }

  @Override
  public void read(long offset, float[] target, int at, int count) {
    floats(offset).get(index4(offset), target, at, count);
  }

  @Override
  public void read(long offset, double[] target, int at, int count) {
    doubles[(int) (offset >>> WINDOW_SHIFT)].get(index8(offset), target, at, count);
  }

  @Override
  public void read(long offset, int[] target, int at, int count) {
    ints(offset).get(index4(offset), target, at, count);
  }

  @Override
  public void read(long offset, long[] target, int at, int count) {
    longs(offset).get(index8(offset), target, at, count);
  }

  @Override
  public void read(long offset, short[] target, int at, int count) {
    shorts[(int) (offset >>> WINDOW_SHIFT)].get(index2(offset), target, at, count);
  }

  @Override
  public void write(long offset, short[] source, int at, int count) {
    shorts[(int) (offset >>> WINDOW_SHIFT)].put(index2(offset), source, at, count);
  }

  @Override
  public void write(long offset, float[] source, int at, int count) {
    floats(offset).put(index4(offset), source, at, count);
  }

  @Override
  public void write(long offset, double[] source, int at, int count) {
    doubles[(int) (offset >>> WINDOW_SHIFT)].put(index8(offset), source, at, count);
  }

  @Override
  public void write(long offset, int[] source, int at, int count) {
    ints(offset).put(index4(offset), source, at, count);
  }

  @Override
  public void write(long offset, long[] source, int at, int count) {
    longs(offset).put(index8(offset), source, at, count);
  }

  @Override
  public void fill(long offset, int word, long words) {
    for (long i = 0; i < words; i++) {
      ints(offset + 4 * i).put(index4(offset + 4 * i), word);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      base.position(0);
      Pointer.free(base);
    }
  }
}
