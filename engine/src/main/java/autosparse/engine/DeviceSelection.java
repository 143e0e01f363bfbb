package autosparse.engine;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.MemoryBudgetException;
import autosparse.kernels.CudaContext;
import autosparse.kernels.CudaDriver;
import autosparse.kernels.Gpu;
import autosparse.kernels.HostLedger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Which device a user's word stands for, and why.
 *
 * @param chosen {@code cpu}, {@code reference} or {@code cuda:N}
 * @param reason one line
 * @param precision what it computes in: the fastest that the GPU has, single on the CPU, unless
 *     asked otherwise; the reference computes in double, whatever this says
 * @param gpu the GPU that was chosen, if one was
 * @param host what the process may take of the machine's memory with this device
 */
public record DeviceSelection(
    String chosen,
    String reason,
    Precision precision,
    Optional<Gpu> gpu,
    Options options,
    HostBudget host) {
  private static final String CUDA = "cuda:";

  /** What {@link HostBudget#outside} calls the memory of a GPU's driver and libraries. */
  public static final String DRIVER = "CUDA driver";

  /** Allowance for {@link #DRIVER}: libraries' code and what they keep on the host. */
  private static final long DRIVER_BYTES = 1L << 30;

  /** What {@link HostBudget#outside} calls the memory that OpenBLAS copies operands to. */
  public static final String BLAS = "OpenBLAS";

  /** Allowance for {@link #BLAS}, for each thread that multiplies. */
  private static final long BLAS_BYTES = 8L << 20;

  private static DeviceSelection host(String name, String reason, Options options) {
    return new DeviceSelection(
        name, reason, Precision.FP32, Optional.empty(), options, onCpu(options));
  }

  private static DeviceSelection gpu(Gpu gpu, Options options) {
    return new DeviceSelection(
        gpu.device(),
        gpu.name(),
        Precision.fastestOn(gpu),
        Optional.of(gpu),
        options,
        onGpu(options));
  }

  private static HostBudget onCpu(Options options) {
    int threads = options.host().threads();
    Map<String, Long> besides = new LinkedHashMap<>();
    besides.put(HostLedger.Kind.SCRATCH.toString(), threads * CpuOperators.SCRATCH_BYTES);
    besides.put(BLAS, threads * BLAS_BYTES);
    return HostBudget.of(options.hostMemoryBudget(), true, besides);
  }

  private static HostBudget onGpu(Options options) {
    Map<String, Long> besides = new LinkedHashMap<>();
    besides.put(HostLedger.Kind.STAGING.toString(), CudaContext.STAGING_BYTES);
    besides.put(DRIVER, DRIVER_BYTES);
    return HostBudget.of(options.hostMemoryBudget(), false, besides);
  }

  /** Lowest compute capability that our kernels are compiled for, times ten. */
  private static final int LOWEST_CAPABILITY = 75;

  /**
   * What may be asked of a device, whichever it is.
   *
   * @param memoryBudget most bytes to take of the device, on a GPU all that is not for tensors
   *     included; 0 for the device's own default
   * @param threads threads of a CPU engine; 0 for all cores
   * @param hostMemoryBudget most bytes that the process takes of the machine's memory; 0 for what
   *     the machine has for it
   */
  public record Options(long memoryBudget, int threads, long hostMemoryBudget) {
    public Options {
      if (memoryBudget < 0 || threads < 0 || hostMemoryBudget < 0) {
        throw new IllegalArgumentException(
            "memory budgets "
                + memoryBudget
                + " and "
                + hostMemoryBudget
                + ", threads "
                + threads
                + ": expected 0 or more");
      }
    }

    /** On a machine whose memory is this process' own. */
    public Options(long memoryBudget, int threads) {
      this(memoryBudget, threads, 0);
    }

    public static Options defaults() {
      return new Options(0, 0);
    }

    HostDevice.Options host() {
      HostDevice.Options host = HostDevice.Options.defaults();
      return threads == 0 ? host : host.withThreads(threads);
    }
  }

  /**
   * Chooses a device.
   *
   * @param name {@code auto}, {@code cpu}, {@code reference}, {@code cuda} (the first one) or
   *     {@code cuda:N}
   * @throws IllegalArgumentException when the name is unknown or the device cannot be used, with
   *     the reason in one line
   */
  public static DeviceSelection of(String name, Options options) {
    return of(name, options, CudaDriver::probe);
  }

  static DeviceSelection of(String name, Options options, Supplier<CudaDriver> cudaDriver) {
    switch (name) {
      case "auto" -> {
        return automatic(cudaDriver.get(), options);
      }
      case "cpu", "reference" -> {
        return host(name, "asked for", options);
      }
      case "cuda" -> {
        return cuda(0, cudaDriver.get(), options);
      }
      default -> {
        if (name.matches(CUDA + "\\d{1,4}")) {
          int ordinal = Integer.parseInt(name.substring(CUDA.length()));
          return cuda(ordinal, cudaDriver.get(), options);
        }
        throw new IllegalArgumentException(
            "device '" + name + "': expected auto, cpu, reference, cuda or cuda:N");
      }
    }
  }

  private static DeviceSelection automatic(CudaDriver driver, Options options) {
    if (!driver.isAvailable()) {
      return host("cpu", driver.unavailable(), options);
    }
    for (Gpu gpu : driver.devices()) {
      if (isUsable(gpu)) {
        return gpu(gpu, options);
      }
    }
    return host("cpu", tooOld(driver.devices().get(0)), options);
  }

  private static DeviceSelection cuda(int ordinal, CudaDriver driver, Options options) {
    String reason;
    if (!driver.isAvailable()) {
      reason = driver.unavailable();
    } else if (ordinal >= driver.devices().size()) {
      reason = "the driver sees " + driver.devices().size() + " device(s), numbered from 0";
    } else {
      Gpu gpu = driver.devices().get(ordinal);
      if (isUsable(gpu)) {
        return gpu(gpu, options);
      }
      reason = tooOld(gpu);
    }
    throw new IllegalArgumentException(
        "device " + CUDA + ordinal + ": " + reason + " (use cpu or auto)");
  }

  private static boolean isUsable(Gpu gpu) {
    return gpu.major() * 10 + gpu.minor() >= LOWEST_CAPABILITY;
  }

  private static String tooOld(Gpu gpu) {
    return gpu.name()
        + " has compute capability "
        + gpu.computeCapability()
        + ", the kernels need 7.5 or newer";
  }

  /** Whether a GPU was chosen. */
  public boolean isCuda() {
    return gpu.isPresent();
  }

  /**
   * The same device computing in a given precision.
   *
   * @throws IllegalArgumentException when it does not compute in it, with the reason in one line
   */
  public DeviceSelection withPrecision(Precision format) {
    if (gpu.isPresent()) {
      format.requireOn(gpu.get());
    } else if (format != Precision.FP32) {
      throw new IllegalArgumentException("the " + chosen + " device computes in fp32");
    }
    return new DeviceSelection(chosen, reason, format, gpu, options, host);
  }

  /** The same device when more is known of what the process takes of the host. */
  public DeviceSelection withHost(HostBudget budget) {
    return new DeviceSelection(chosen, reason, precision, gpu, options, budget);
  }

  /**
   * Opens the chosen device.
   *
   * @throws autosparse.kernels.CudaCallException when a GPU fails
   * @throws autosparse.engine.memory.MemoryBudgetException when a GPU, or the host for the CPU, has
   *     not as much memory as the budget says, or the budget leaves nothing for tensors
   */
  public Device open() {
    return gpu.isPresent()
        ? CudaDevice.open(cuda().withBudget(options.memoryBudget()))
        : host(options.host().withBudget(cpuBudget(options.memoryBudget())));
  }

  /**
   * What tensors on the CPU may take.
   *
   * @param asked bytes; 0 for what the host's budget leaves
   */
  private MemoryBudget cpuBudget(long asked) {
    MemoryBudget left = host.tensorBudget();
    if (asked > left.range()) {
      throw new MemoryBudgetException(
          MemoryBudget.FLAG
              + ": "
              + asked
              + " bytes, expected at most "
              + left.range()
              + ": of the host's "
              + left.bytes()
              + " (--host-memory-budget) others are: "
              + left.takenText());
    }
    return asked == 0 ? left : MemoryBudget.ofTensors(asked);
  }

  /**
   * Opens the chosen device with a range of so many bytes for tensors, whatever the budget.
   *
   * @throws autosparse.kernels.CudaCallException when a GPU fails or has not as much memory free
   * @throws autosparse.engine.memory.MemoryBudgetException when the host has not as much for the
   *     CPU
   */
  public Device openWithRange(long bytes) {
    return gpu.isPresent()
        ? CudaDevice.open(cuda().withCapacity(bytes))
        : host(options.host().withBudget(cpuBudget(bytes)));
  }

  private CudaDevice.Options cuda() {
    return CudaDevice.Options.of(gpu.orElseThrow().ordinal()).withPrecision(precision);
  }

  private Device host(HostDevice.Options of) {
    return chosen.equals("reference") ? HostDevice.reference(of) : HostDevice.cpu(of);
  }
}
