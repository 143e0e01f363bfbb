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
}
