package autosparse.engine.cpu;

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

  IndexView(Tensor tensor) {
    memory = (HostMemory) tensor.device().memory();
    offset = tensor.offset();
  }

  /** Element {@code index} of an I32 tensor. */
  int getInt(long index) {
    long at = offset + 4 * index;
    IntBuffer window = memory.ints(at);
    return window.get(HostMemory.index4(at));
  }

  /** Element {@code index} of an I64 tensor. */
  long getLong(long index) {
    long at = offset + 8 * index;
    LongBuffer window = memory.longs(at);
    return window.get(HostMemory.index8(at));
  }
}
