package autosparse.engine;

import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.RangeAllocator;
import autosparse.engine.sparse.LevelCounts;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.HostLedger;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

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

  default MemoryLedger ledger() {
    return blocks().ledger();
  }

  /** The blocks of {@link #memory()} that tensors take: where they lie, and their book. */
  DeviceBlocks blocks();

  /** Places tensors in {@link #memory()}. */
  default RangeAllocator allocator() {
    return blocks().allocator();
  }

  DeviceMemory memory();

  /** What {@link #memory()} and all that is not for tensors may take together. */
  default MemoryBudget budget() {
    return MemoryBudget.ofTensors(memory().capacity());
  }

  /** The book of what this device takes of the host outside the Java heap, tensors aside. */
  HostLedger hostLedger();

  /**
   * Whether operators are queued for a processor of its own, so that few large pieces of work and
   * no waiting are what makes it fast.
   */
  default boolean queuesWork() {
    return false;
  }

  /**
   * A piece of work that will run many times.
   *
   * @param name how messages call it
   */
  default WorkGraph graph(String name, Runnable piece) {
    return new WorkGraph() {
      @Override
      public void run() {
        piece.run();
      }

      @Override
      public void close() {}
    };
  }

  /**
   * Runs {@code writes}, which may make tensors and write them, nothing else; on a GPU the copies
   * then run beside the operators queued from now on. The tensors may be used, and freed, after
   * {@link #awaitUploads}.
   */
  default void upload(Runnable writes) {
    writes.run();
  }

  /**
   * Begins an upload for {@link #fillUpload}: its copies start when what is queued by now is done.
   * An upload that is begun and not filled does nothing.
   */
  default void beginUpload() {}

  /**
   * As {@link #upload}, but the copies run beside all operators queued since {@link #beginUpload},
   * so that the host can queue work before it turns to what the work after that needs.
   */
  default void fillUpload(Runnable writes) {
    writes.run();
  }

  /** What is queued from now on waits for the uploads so far; the caller does not wait. */
  default void awaitUploads() {}

  /**
   * Makes the sites of some rows, given what this device knows of their levels by now; used by
   * those who make sites alone.
   */
  default Sites sites(List<RowRange> batch, Function<LevelCounts, Sites> make) {
    return make.apply(new LevelCounts());
  }

  /** Waits until everything queued is done. */
  default void synchronize() {}

  /** What figures measured on this device depend on, by name: threads, or GPU, driver, kernels. */
  Map<String, String> facts();

  /** Takes a block for a tensor; used by {@link TensorScope} alone. */
  default long allocate(long bytes, MemoryTag tag, String name) {
    return blocks().allocate(bytes, tag, name);
  }

  /** Gives a tensor's block back; used by {@link TensorScope} alone. */
  default void free(Tensor tensor) {
    blocks().free(tensor.offset(), tensor.bytes(), tensor.tag(), tensor.name(), tensor);
  }

  @Override
  void close();
}
