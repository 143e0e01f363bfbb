package autosparse.engine;

import autosparse.engine.cuda.CudaMemory;
import autosparse.engine.cuda.CudaOperators;
import autosparse.engine.cuda.CudaWorkGraph;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.sparse.LevelCounts;
import autosparse.engine.sparse.RangeCounts;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.Cleanup;
import autosparse.kernels.CudaContext;
import autosparse.kernels.HostLedger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * A GPU: activations in float or bfloat16, our kernels, all work queued on one stream. Reading a
 * tensor waits for what was queued before.
 */
public final class CudaDevice implements Device {
  /**
   * Settings of a CUDA device.
   *
   * @param ordinal N of {@code cuda:N}
   * @param budget most bytes that this process may take of the device, all that is not for tensors
   *     included; 0 for what is free but a margin, see {@link MemoryBudget#onGpu}
   * @param capacity size of the range for tensors in bytes, whatever the budget; 0 for what the
   *     budget leaves
   * @param guarded see {@link DeviceBlocks}
   * @param precision what activations are stored and products are formed in
   */
  public record Options(
      int ordinal, long budget, long capacity, boolean guarded, Precision precision) {
    public Options {
      if (ordinal < 0 || budget < 0 || capacity < 0) {
        throw new IllegalArgumentException(
            "cuda:" + ordinal + ", " + budget + " and " + capacity + " bytes");
      }
    }

    /** No guards, single precision. */
    public static Options of(int ordinal) {
      return new Options(ordinal, 0, 0, false, Precision.FP32);
    }

    public Options withBudget(long bytes) {
      return new Options(ordinal, bytes, capacity, guarded, precision);
    }

    public Options withCapacity(long bytes) {
      return new Options(ordinal, budget, bytes, guarded, precision);
    }

    public Options withGuards() {
      return new Options(ordinal, budget, capacity, true, precision);
    }

    public Options withPrecision(Precision format) {
      return new Options(ordinal, budget, capacity, guarded, format);
    }
  }

  private final CudaContext context;
  private final Precision precision;
  private final MemoryBudget budget;
  private final CudaMemory memory;
  private final DeviceBlocks blocks;
  private final TensorScope root;
  private final Operators operators;
  private final RangeCounts known = new RangeCounts();

  private CudaDevice(CudaContext context, Options options) {
    options.precision().requireOn(context.gpu());
    this.context = context;
    this.precision = options.precision();
    // Kernels first: what they need of the device's memory is then not free any more.
    this.operators = CudaOperators.create(context, precision);
    try {
      this.budget = budget(options, context);
      this.memory = new CudaMemory(context, budget.capacity());
    } catch (RuntimeException e) {
      Cleanup.after(e, operators::close);
      throw e;
    }
    this.blocks = new DeviceBlocks(memory, options.guarded(), budget.flag());
    this.root = new TensorScope(this, null, name());
  }

  /**
   * Takes a device and reserves its range.
   *
   * @throws autosparse.kernels.CudaCallException when the device cannot be used or has too little
   *     free memory
   * @throws autosparse.engine.memory.MemoryBudgetException when the budget is larger than what is
   *     free, or leaves nothing for tensors
   * @throws IllegalArgumentException when it has not the precision asked for
   */
  public static CudaDevice open(Options options) {
    CudaContext context = CudaContext.open(options.ordinal());
    try {
      return new CudaDevice(context, options);
    } catch (RuntimeException e) {
      Cleanup.after(e, context::close);
      throw e;
    }
  }

  private static MemoryBudget budget(Options options, CudaContext context) {
    if (options.capacity() > 0) {
      return MemoryBudget.around(options.capacity(), context.accounts().taken());
    }
    return MemoryBudget.onGpu(
        context.gpu().device() + " " + context.gpu().name(),
        options.budget(),
        context.accounts().taken(),
        context.freeBytes(),
        context.gpu().totalBytes());
  }

  @Override
  public String name() {
    return context.gpu().device();
  }

  @Override
  public DType real() {
    return DType.F32;
  }

  @Override
  public DType activation() {
    return precision == Precision.BF16 ? DType.BF16 : real();
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
    return context.hostLedger();
  }

  @Override
  public boolean queuesWork() {
    return true;
  }

  @Override
  public WorkGraph graph(String name, Runnable piece) {
    return new CudaWorkGraph(context, blocks, name, piece);
  }

  /** What was counted of rows before need not be read again, which would wait for the device. */
  @Override
  public Sites sites(List<RowRange> batch, Function<LevelCounts, Sites> make) {
    return make.apply(known.of(batch));
  }

  @Override
  public void upload(Runnable writes) {
    context.upload(writes);
  }

  @Override
  public void beginUpload() {
    context.beginUpload();
  }

  @Override
  public void fillUpload(Runnable writes) {
    context.fillUpload(writes);
  }

  @Override
  public void awaitUploads() {
    context.awaitUploads();
  }

  @Override
  public void synchronize() {
    context.synchronize();
  }

  /** The driver's side of the device: its model, its stream, the PTX in use. */
  public CudaContext context() {
    return context;
  }

  /** What activations are stored and products are formed in. */
  public Precision precision() {
    return precision;
  }

  /** Whether products are computed by NVIDIA's library. */
  public boolean usesCublas() {
    return operators.gemm().provider().startsWith("cuBLAS");
  }

  @Override
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(
        "gpu", context.gpu().name() + ", compute capability " + context.gpu().computeCapability());
    facts.put("precision", precision.toString());
    facts.put("cuda", context.driverVersion());
    facts.put("ptx", String.join(", ", new TreeSet<>(context.architectures().values())));
    facts.put("gemm", operators.gemm().provider());
    return facts;
  }

  /** Waits for the queued work, closes the root scope and gives the device back. */
  @Override
  public void close() {
    root.close();
    operators.close();
    memory.close();
    context.close();
  }
}
