package autosparse.engine.cuda;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.kernels.Storage;

/** Tensors that are stored in one type or another, as kernels take them. */
final class Activations {
  private Activations() {}

  /** Which of a kernel's entries takes the tensor. */
  static Storage storage(Tensor tensor) {
    return tensor.dtype() == DType.BF16 ? Storage.BF16 : Storage.F32;
  }

  /** Where the tensor starts, for the entry of its {@link #storage}. */
  static long address(Tensor tensor) {
    return tensor.deviceAddress(storage(tensor) == Storage.BF16 ? DType.BF16 : DType.F32);
  }

  /**
   * Checks that a tensor starts where a kernel may read rows of {@code columns} in accesses of as
   * many elements as divide it. Views of rows do; a view of some rows under another shape may not.
   *
   * @param most elements of the kernel's widest access, a power of two
   * @throws IllegalArgumentException when it does not
   */
  static void requireAligned(Tensor tensor, long columns, int most) {
    long elements = Math.min(most, Long.lowestOneBit(Math.max(1, columns)));
    if (address(tensor) % (elements * tensor.dtype().bytes()) != 0) {
      throw new IllegalArgumentException(
          tensor
              + " starts at byte "
              + tensor.offset()
              + " of the device's range: rows of "
              + columns
              + " elements are read "
              + elements
              + " at a time; copy it first");
    }
  }
}
