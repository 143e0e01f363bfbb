package autosparse.engine.cpu;

import autosparse.kernels.HostLedger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory of one worker thread: heap arrays for loops that the JIT vectorises, and one native block
 * for operands of BLAS. Grows to the largest request and is reused; contents are undefined.
 */
final class Scratch implements AutoCloseable {
  /**
   * Bytes of the native block, which is made whole: how much the engine takes does not depend on
   * which thread happened to do which tile. Pages are committed when they are first touched.
   */
  static final long BLOCK_BYTES = 8L << 20;

  private final HostLedger host;
  private final float[][] arrays = new float[8][];
  private final int[][] intArrays = new int[8][];
  private final long[][] longArrays = new long[4][];
  private BytePointer block;
  private long blockFloats;
  private FloatPointer pointer;
  private FloatBuffer floats;
  private LongBuffer longs;
  private FloatBuffer zeros;

  Scratch(HostLedger host) {
    this.host = host;
    reserveNative(1);
  }

  /** Heap array number {@code slot} (0 to 7) of at least {@code size} elements. */
  float[] array(int slot, int size) {
    if (arrays[slot] == null || arrays[slot].length < size) {
      arrays[slot] = new float[Math.max(size, 1024)];
    }
    return arrays[slot];
  }

  /** Heap array of ints number {@code slot} (0 to 7) of at least {@code size} elements. */
  int[] ints(int slot, int size) {
    if (intArrays[slot] == null || intArrays[slot].length < size) {
      intArrays[slot] = new int[Math.max(size, 1024)];
    }
    return intArrays[slot];
  }

  /** Heap array of longs number {@code slot} (0 to 3) of at least {@code size} elements. */
  long[] longs(int slot, int size) {
    if (longArrays[slot] == null || longArrays[slot].length < size) {
      longArrays[slot] = new long[Math.max(size, 1024)];
    }
    return longArrays[slot];
  }

  /** Makes the native block hold at least {@code size} floats; invalidates earlier views. */
  void reserveNative(int size) {
    if (blockFloats < size) {
      close();
      long bytes = Math.max(4L * size, BLOCK_BYTES);
      Pointer fresh = Pointer.malloc(bytes);
      if (fresh == null || fresh.isNull()) {
        throw new IllegalStateException(
            "the operating system refuses " + bytes + " bytes of scratch memory");
      }
      host.taken(HostLedger.Kind.SCRATCH, bytes);
      block = new BytePointer(fresh);
      blockFloats = bytes / 4;
      pointer = new FloatPointer(block);
      ByteBuffer bytesView =
          new BytePointer(block).limit(bytes).asByteBuffer().order(ByteOrder.nativeOrder());
      floats = bytesView.asFloatBuffer();
      longs = bytesView.asLongBuffer();
    }
  }

  FloatPointer nativePointer() {
    return pointer;
  }

  /** Pointer to float {@code at} of the native block. */
  FloatPointer nativePointer(long at) {
    return new FloatPointer(pointer).position(at);
  }

  /** A buffer of at least {@code size} zeros, not to be written. */
  FloatBuffer zeros(int size) {
    if (zeros == null || zeros.capacity() < size) {
      zeros = FloatBuffer.wrap(new float[size]);
    }
    return zeros;
  }

  FloatBuffer nativeFloats() {
    return floats;
  }

  LongBuffer nativeLongs() {
    return longs;
  }

  @Override
  public void close() {
    if (block != null) {
      Pointer.free(block);
      host.given(HostLedger.Kind.SCRATCH, 4 * blockFloats);
      block = null;
      blockFloats = 0;
    }
  }
}
