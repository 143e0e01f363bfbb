package autosparse.engine;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.HostMemory;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.RangeAllocator;
import autosparse.engine.reference.ReferenceOperators;
import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;

/**
 * A device in host memory: the CPU engine (float, all cores) or the reference (double, plain
 * loops).
 */
public final class HostDevice implements Device {
  /**
   * Settings of a host device.
   *
   * @param capacity size of the reserved range in bytes; pages are committed when first touched
   * @param threads worker threads of the CPU engine; results do not depend on it
   * @param guarded surrounds every tensor with sentinels that are checked when it is freed, and
   *     fills new tensors with NaN: finds overruns and reads of memory that nobody wrote
   */
  public record Options(long capacity, int threads, boolean guarded) {
    public Options {
      if (threads < 1) {
        throw new IllegalArgumentException("threads " + threads + ": expected at least 1");
      }
    }

    /** Three quarters of the physical memory, all cores, no guards. */
    public static Options defaults() {
      return new Options(
          Pointer.totalPhysicalBytes() / 4 * 3, Runtime.getRuntime().availableProcessors(), false);
    }

    public Options withCapacity(long bytes) {
      return new Options(bytes, threads, guarded);
    }

    public Options withThreads(int count) {
      return new Options(capacity, count, guarded);
    }

    public Options withGuards() {
      return new Options(capacity, threads, true);
    }
  }

  private static final int GUARD_BYTES = (int) RangeAllocator.ALIGNMENT;
  private static final int SENTINEL = 0xFFFDA5A5; // part of a NaN in float and in double

  private final String name;
  private final DType real;
  private final boolean guarded;
  private final HostMemory memory;
  private final RangeAllocator allocator;
  private final MemoryLedger ledger = new MemoryLedger();
  private final TensorScope root;
  private final Operators operators;

  private HostDevice(String name, DType real, Options options, Operators operators) {
    this.name = name;
    this.real = real;
    this.guarded = options.guarded();
    this.memory = new HostMemory(options.capacity());
    this.allocator = new RangeAllocator(options.capacity());
    this.root = new TensorScope(this, null, name);
    this.operators = operators;
  }

  /** The CPU engine: float, {@code options.threads()} threads, GEMM by OpenBLAS. */
  public static HostDevice cpu(Options options) {
    return new HostDevice("cpu", DType.F32, options, CpuOperators.create(options.threads()));
  }

  /** The reference: double, plain loops on one thread; the oracle of every other device. */
  public static HostDevice reference(Options options) {
    return new HostDevice("reference", DType.F64, options, ReferenceOperators.create());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public DType real() {
    return real;
  }

  @Override
  public Operators operators() {
    return operators;
  }

  @Override
  public TensorScope root() {
    return root;
  }

  @Override
  public MemoryLedger ledger() {
    return ledger;
  }

  public RangeAllocator allocator() {
    return allocator;
  }

  @Override
  public DeviceMemory memory() {
    return memory;
  }

  @Override
  public long allocate(long bytes, MemoryTag tag, String tensorName) {
    long padded = RangeAllocator.padded(bytes);
    int guard = guarded ? GUARD_BYTES : 0;
    long offset = allocator.allocate(padded + 2L * guard, tag.isTemporary()) + guard;
    ledger.allocated(tag, tensorName, offset, padded);
    if (guarded) {
      int[] sentinels = new int[GUARD_BYTES / 4];
      Arrays.fill(sentinels, SENTINEL);
      for (long at = offset - guard; at < offset + padded + guard; at += GUARD_BYTES) {
        memory.write(at, sentinels, 0, sentinels.length);
      }
    }
    return offset;
  }

  @Override
  public void free(Tensor tensor) {
    long padded = RangeAllocator.padded(tensor.bytes());
    int guard = guarded ? GUARD_BYTES : 0;
    if (guarded) {
      checkSentinels(tensor, tensor.offset() - guard, tensor.offset());
      long end = tensor.offset() + tensor.bytes();
      checkSentinels(tensor, (end + 3) / 4 * 4, tensor.offset() + padded + guard);
    }
    allocator.free(tensor.offset() - guard);
    ledger.freed(tensor.tag(), tensor.name(), tensor.offset(), padded);
  }

  private void checkSentinels(Tensor tensor, long from, long to) {
    int[] words = new int[(int) ((to - from) / 4)];
    memory.read(from, words, 0, words.length);
    for (int i = 0; i < words.length; i++) {
      if (words[i] != SENTINEL) {
        throw new IllegalStateException(
            "memory around "
                + tensor
                + " was overwritten at byte "
                + (from + 4L * i - tensor.offset())
                + " of its "
                + tensor.bytes());
      }
    }
  }

  /** Closes the root scope, stops the operators' threads and gives the range back. */
  @Override
  public void close() {
    root.close();
    operators.close();
    memory.close();
  }
}
