package autosparse.engine;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.HostMemory;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.SystemMemory;
import autosparse.engine.reference.ReferenceOperators;
import autosparse.kernels.HostLedger;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A device in host memory: the CPU engine (float, all cores) or the reference (double, plain
 * loops).
 */
public final class HostDevice implements Device {
  static {
    // JavaCPP would refuse to work in a process that is larger than four times the heap's limit.
    // Tensors are outside the heap, and HostBudget says how large the process may get.
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
  }

  /**
   * Settings of a host device.
   *
   * @param budget what the range and all that is not for tensors may take together; pages of the
   *     range are committed when first touched
   * @param threads worker threads of the CPU engine; results do not depend on it
   * @param guarded surrounds every tensor with sentinels that are checked when it is freed, and
   *     fills new tensors with NaN: finds overruns and reads of memory that nobody wrote
   */
  public record Options(MemoryBudget budget, int threads, boolean guarded) {
    /** A range of {@code capacity} bytes and no limit of the rest. */
    public Options(long capacity, int threads, boolean guarded) {
      this(MemoryBudget.ofTensors(capacity), threads, guarded);
    }

    public Options {
      if (threads < 1) {
        throw new IllegalArgumentException("threads " + threads + ": expected at least 1");
      }
    }

    /** Three quarters of the physical memory, all cores, no guards. */
    public static Options defaults() {
      return new Options(
          SystemMemory.ofThisMachine().totalBytes().orElse(UNKNOWN_MEMORY) / 4 * 3,
          Runtime.getRuntime().availableProcessors(),
          false);
    }

    public Options withCapacity(long bytes) {
      return withBudget(MemoryBudget.ofTensors(bytes));
    }

    public Options withBudget(MemoryBudget limit) {
      return new Options(limit, threads, guarded);
    }

    public Options withThreads(int count) {
      return new Options(budget, count, guarded);
    }

    public Options withGuards() {
      return new Options(budget, threads, true);
    }
  }

  /** Taken to be there where the system does not say, in bytes. */
  private static final long UNKNOWN_MEMORY = 8L << 30;

  private final String name;
  private final DType real;
  private final Map<String, String> facts;
  private final HostMemory memory;
  private final DeviceBlocks blocks;
  private final TensorScope root;
  private final Operators operators;
  private final MemoryBudget budget;
  private final HostLedger host;

  private HostDevice(
      String name, DType real, Options options, Operators operators, HostLedger host) {
    this.name = name;
    this.real = real;
    this.facts = facts(real, options);
    this.budget = options.budget();
    this.host = host;
    this.memory = new HostMemory(Math.max(0, budget.range()));
    this.blocks = new DeviceBlocks(memory, options.guarded(), budget.flag());
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
    HostLedger host = new HostLedger();
    Operators operators = CpuOperators.create(options.threads(), host);
    return new HostDevice("cpu", DType.F32, options, operators, host);
  }

  /** The reference: double, plain loops on one thread; the oracle of every other device. */
  public static HostDevice reference(Options options) {
    return new HostDevice(
        "reference", DType.F64, options, ReferenceOperators.create(), new HostLedger());
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
  public MemoryBudget budget() {
    return budget;
  }

  @Override
  public HostLedger hostLedger() {
    return host;
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
