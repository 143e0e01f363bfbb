package autosparse.engine.cpu;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.memory.HostMemory;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/**
 * Element access to an index tensor in host memory, by 64-bit index: a walk over sorted rows visits
 * few elements of each, too few for bulk copies to pay.
 */
final class IndexView {
  private final HostMemory memory;
  private final long offset;

  /** The window that holds the whole tensor, as one nearly always does; else null. */
  private final IntBuffer ints;

  private final LongBuffer longs;
  private final int first;

  IndexView(Tensor tensor) {
    memory = (HostMemory) tensor.device().memory();
    offset = tensor.offset();
    boolean wide = tensor.dtype() == DType.I64;
    boolean oneWindow = tensor.bytes() <= HostMemory.WINDOW_STEP;
    ints = oneWindow && !wide ? memory.ints(offset) : null;
    longs = oneWindow && wide ? memory.longs(offset) : null;
    first = wide ? HostMemory.index8(offset) : HostMemory.index4(offset);
  }

  /** Element {@code index} of an I32 tensor. */
  int getInt(long index) {
    if (ints != null) {
      return ints.get(first + (int) index);
    }
    long at = offset + 4 * index;
    return memory.ints(at).get(HostMemory.index4(at));
  }

  /** Element {@code index} of an I64 tensor. */
  long getLong(long index) {
    if (longs != null) {
      return longs.get(first + (int) index);
    }
    long at = offset + 8 * index;
    return memory.longs(at).get(HostMemory.index8(at));
  }
}
