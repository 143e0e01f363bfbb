package autosparse.engine.cpu;

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
  private final float[][] arrays = new float[8][];
  private final int[][] intArrays = new int[8][];
  private final long[][] longArrays = new long[4][];
  private BytePointer block;
  private long blockFloats;
  private FloatPointer pointer;
  private FloatBuffer floats;
  private LongBuffer longs;

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
      long bytes = 4L * Math.max(size, 1 << 16);
      Pointer fresh = Pointer.malloc(bytes);
      if (fresh == null || fresh.isNull()) {
        throw new IllegalStateException(
            "the operating system refuses " + bytes + " bytes of scratch memory");
      }
      block = new BytePointer(fresh);
      blockFloats = bytes / 4;
      pointer = new FloatPointer(block);
      java.nio.ByteBuffer bytesView =
          new BytePointer(block).limit(bytes).asByteBuffer().order(ByteOrder.nativeOrder());
      floats = bytesView.asFloatBuffer();
      longs = bytesView.asLongBuffer();
    }
  }

  FloatPointer nativePointer() {
    return pointer;
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
      block = null;
      blockFloats = 0;
    }
  }
}
