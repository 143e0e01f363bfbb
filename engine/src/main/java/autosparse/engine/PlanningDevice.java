package autosparse.engine;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.cuda.CudaMemory;
import autosparse.engine.cuda.CudaOperators;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.planning.InertOperators;
import autosparse.engine.planning.PlannedMemory;
import autosparse.engine.planning.PlannedPatterns;
import autosparse.engine.sparse.LevelCounts;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.CudaContext;
import autosparse.kernels.Gpu;
import autosparse.kernels.HostLedger;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs a step without computing it: places every tensor that another device would place, at the
 * same offset, and holds none of their contents. The book of its allocations is, to the byte, that
 * of the device that it stands for.
 *
 * <p>A GPU is planned for by the very operators of {@link CudaDevice}, on a context that launches
 * nothing; the CPU by operators that take the same temporaries from the same place. What depends on
 * the pattern, sites and pairs of each level, is counted on the host.
 */
public final class PlanningDevice implements Device {
  private final String name;
  private final DType real;
  private final DType activation;
  private final DeviceMemory memory;
  private final Operators operators;
  private final PlannedPatterns patterns;
  private final HostLedger host;
  private final Runnable onClose;
  private final DeviceBlocks blocks;
  private final TensorScope root;

  private PlanningDevice(
      String name,
      DType real,
      DType activation,
      DeviceMemory memory,
      Operators operators,
      PlannedPatterns patterns,
      HostLedger host,
      Runnable onClose) {
    this.name = name;
    this.real = real;
    this.activation = activation;
    this.memory = memory;
    this.operators = operators;
    this.patterns = patterns;
    this.host = host;
    this.onClose = onClose;
    this.blocks = new DeviceBlocks(memory, false, MemoryBudget.FLAG);
    this.root = new TensorScope(this, null, name);
  }

  /** Stands for the CPU engine. */
  public static PlanningDevice cpu(long capacity) {
    PlannedPatterns patterns = PlannedPatterns.ofHost();
    return new PlanningDevice(
        "planned cpu",
        DType.F32,
        DType.F32,
        new PlannedMemory(capacity),
        CpuOperators.planning(patterns),
        patterns,
        new HostLedger(),
        () -> {});
  }

  /** Stands for the reference, which takes no temporaries. */
  public static PlanningDevice reference(long capacity) {
    PlannedPatterns patterns = PlannedPatterns.ofHost();
    return new PlanningDevice(
        "planned reference",
        DType.F64,
        DType.F64,
        new PlannedMemory(capacity),
        InertOperators.with(patterns, new InertOperators.SparseConvolution()),
        patterns,
        new HostLedger(),
        () -> {});
  }

  /**
   * Stands for a GPU, which need not be there.
   *
   * @param cublas whether products are computed by NVIDIA's library
   */
  public static PlanningDevice cuda(Gpu gpu, Precision precision, boolean cublas, long capacity) {
    precision.requireOn(gpu);
    CudaContext context = CudaContext.planning(gpu, cublas);
    CudaOperators.Planning planning = CudaOperators.planning(context, precision);
    return new PlanningDevice(
        "planned " + gpu.device(),
        DType.F32,
        precision == Precision.BF16 ? DType.BF16 : DType.F32,
        new CudaMemory(context, capacity),
        planning.operators(),
        planning.patterns(),
        context.hostLedger(),
        context::close);
  }

  /** Stands for a device, with a range of {@code capacity} bytes. */
  public static PlanningDevice like(Device device, long capacity) {
    if (device instanceof CudaDevice cuda) {
      return cuda(cuda.context().gpu(), cuda.precision(), cuda.usesCublas(), capacity);
    }
    if (device instanceof HostDevice) {
      return device.real() == DType.F64 ? reference(capacity) : cpu(capacity);
    }
    throw new IllegalArgumentException(device.name() + " is a plan already");
  }

  /** The sites are counted by these rows, which are read if they were not before. */
  @Override
  public Sites sites(List<RowRange> batch, Function<LevelCounts, Sites> make) {
    return patterns.sites(batch, make);
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
  public DType activation() {
    return activation;
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

  /** On a GPU that of the context that is planned with, which takes the same blocks. */
  @Override
  public HostLedger hostLedger() {
    return host;
  }

  @Override
  public Map<String, String> facts() {
    return Map.of("planned", name);
  }

  @Override
  public void close() {
    root.close();
    operators.close();
    memory.close();
    onClose.run();
  }
}
