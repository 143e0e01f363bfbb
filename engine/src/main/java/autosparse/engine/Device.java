package autosparse.engine;

import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.RangeAllocator;
import java.util.Map;

/**
 * Where tensors live and operators run: one reserved range of memory, its book, and one
 * implementation of {@link Operators}.
 *
 * <p>A device is driven by one thread; its operators use what parallelism it has.
 */
public sealed interface Device extends AutoCloseable
    permits HostDevice, CudaDevice, PlanningDevice {
  /** What a user calls it: {@code cpu}, {@code reference}, {@code cuda:0}. */
  String name();

  /**
   * Element type of weights, their gradients and everything else that is summed up or kept: F32, or
   * F64 on the reference.
   */
  DType real();

  /** Element type of activations and their gradients: BF16 on a device of that precision. */
  default DType activation() {
    return real();
  }

  Operators operators();

  /** The scope that every other scope of this device descends from. */
  TensorScope root();

  MemoryLedger ledger();

  /** Places tensors in {@link #memory()}. */
  RangeAllocator allocator();

  DeviceMemory memory();

  /** What figures measured on this device depend on, by name: threads, or GPU, driver, kernels. */
  Map<String, String> facts();

  /** Takes a block for a tensor; used by {@link TensorScope} alone. */
  long allocate(long bytes, MemoryTag tag, String name);

  /** Gives a tensor's block back; used by {@link TensorScope} alone. */
  void free(Tensor tensor);

  @Override
  void close();
}
