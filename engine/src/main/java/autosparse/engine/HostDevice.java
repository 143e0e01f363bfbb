package autosparse.engine;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.HostMemory;
import autosparse.engine.reference.ReferenceOperators;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
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

  private final String name;
  private final DType real;
  private final Map<String, String> facts;
  private final HostMemory memory;
  private final DeviceBlocks blocks;
  private final TensorScope root;
  private final Operators operators;

  private HostDevice(String name, DType real, Options options, Operators operators) {
    this.name = name;
    this.real = real;
    this.facts = facts(real, options);
    this.memory = new HostMemory(options.capacity());
    this.blocks = new DeviceBlocks(memory, options.guarded());
    this.root = new TensorScope(this, null, name);
    this.operators = operators;
  }

  private static Map<String, String> facts(DType real, Options options) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("precision", real == DType.F64 ? "double" : Precision.FP32.toString());
    facts.put("threads", String.valueOf(options.threads()));
    return Collections.unmodifiableMap(facts);
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
  public DeviceBlocks blocks() {
    return blocks;
  }

  @Override
  public DeviceMemory memory() {
    return memory;
  }

  @Override
  public Map<String, String> facts() {
    return facts;
  }

  /** Closes the root scope, stops the operators' threads and gives the range back. */
  @Override
  public void close() {
    root.close();
    operators.close();
    memory.close();
  }
}
