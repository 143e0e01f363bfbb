package autosparse.kernels;

import autosparse.kernels.Driver.DeviceBlock;
import autosparse.kernels.Driver.PinnedBlock;
import autosparse.kernels.Ptx.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * One device in use: its stream, its memory, its kernels.
 *
 * <p>Everything is queued on one stream and done in order, save copies inside {@link #upload}. An
 * error that a kernel makes while it runs is therefore reported by a later call; the message names
 * the launch before it. Driven by one thread at a time.
 */
public final class CudaContext implements AutoCloseable {
  /** Sections of the ring of the first stream; what a step writes fits one. */
  private static final int STAGING_SECTIONS = 8;

  /** Page-locked bytes that all copies of a context go through, those of {@link #upload} too. */
  public static final long STAGING_BYTES =
      (long) (STAGING_SECTIONS + Fetching.BUFFERS + Uploads.SECTIONS) * Staging.PIECE;

  private final Driver driver;
  private final PlanningDriver planning;
  private final Gpu gpu;
  private final Driver.Stream stream;
  private final Staging staging;
  private final Fetching fetching;
  private final Uploads uploads;
  private final DeviceAccounts accounts = new DeviceAccounts(this::freeBytes);
  private final Map<String, LoadedModule> modules = new HashMap<>();
  private final List<PinnedBlock> argumentBlocks = new ArrayList<>();
  private final HostLedger host = new HostLedger();
  private Thread owner = Thread.currentThread();
  private String lastLaunch = "none";
  private long launches;
  private long waits;
  private String capturing;
  private boolean closed;

  private record LoadedModule(Ptx ptx, Driver.Module module) {}

  private CudaContext(Driver driver, Gpu gpu) {
    this.driver = driver;
    this.planning = driver instanceof PlanningDriver none ? none : null;
    this.gpu = gpu;
    this.stream = driver.createStream();
    this.staging = new Staging(this, driver, stream, STAGING_SECTIONS);
    this.fetching = new Fetching(this, driver, stream);
    this.uploads = new Uploads(this, driver, stream);
  }

  /**
   * Takes a device.
   *
   * @throws CudaCallException when the driver or the device refuses, in one line
   */
  public static CudaContext open(int ordinal) {
    if (DriverLibrary.find().isEmpty()) {
      throw new CudaCallException("no NVIDIA driver (libcuda.so.1 not found)", null);
    }
    return open(JCudaCalls::start, ordinal);
  }

  static CudaContext open(Supplier<Driver> start, int ordinal) {
    Driver driver;
    Gpu gpu;
    try {
      driver = start.get();
      gpu = driver.describe(ordinal);
    } catch (DriverFailure e) {
      throw new CudaCallException("cuda:" + ordinal + ": " + e.getMessage(), e);
    } catch (NativeCacheException e) {
      throw new CudaCallException(e.getMessage(), e);
    }
    try {
      driver.retainContext(ordinal);
      return ofRetained(driver, gpu);
    } catch (DriverFailure e) {
      throw new CudaCallException(message(e, "opening the device", gpu, Optional.empty()), e);
    }
  }

  /** The context of a device that was retained; a driver that refuses more has it released. */
  private static CudaContext ofRetained(Driver driver, Gpu gpu) {
    try {
      long contextBytes = contextBytes(driver, gpu.ordinal());
      CudaContext context = new CudaContext(driver, gpu);
      context.accounts.start(contextBytes, driver.memoryInfo().free());
      return context;
    } catch (DriverFailure e) {
      Cleanup.after(e, () -> driver.releaseContext(gpu.ordinal()));
      throw e;
    }
  }

  /** Gives something back to the driver. */
  @FunctionalInterface
  private interface Return extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Device memory that a context takes by itself, in bytes: that of one more on the same device,
   * made and given back at once. The first one's cannot be read, since without a context there is
   * no free memory to ask for. The retained context is current afterwards, whatever fails.
   */
  private static long contextBytes(Driver driver, int ordinal) {
    long before = driver.memoryInfo().free();
    Driver.Context another = driver.createContext(ordinal);
    try (Return current = driver::makeCurrent;
        Return created = () -> driver.destroy(another)) {
      return Math.max(0, before - driver.memoryInfo().free());
    }
  }

  /**
   * A context that runs nothing: launches and copies are left out, device memory is addresses only,
   * what is read is whatever the target held. For planning with the code that runs on a device.
   *
   * @param gpu the device that is planned for; it need not be there
   * @param cublas whether products are planned with NVIDIA's library
   */
  public static CudaContext planning(Gpu gpu, boolean cublas) {
    return new CudaContext(new PlanningDriver(gpu, cublas), gpu);
  }

  /** The driver of a planning context, if this is one. */
  Optional<PlanningDriver> planning() {
    return Optional.ofNullable(planning);
  }

  /** The device, as the driver describes it. */
  public Gpu gpu() {
    return gpu;
  }

  /** Highest CUDA version that the driver supports, such as 12.6. */
  public String driverVersion() {
    return CudaDriver.text(ask("asking for the version", driver::version));
  }

  /** What this process has taken of the device for other things than tensors. */
  public DeviceAccounts accounts() {
    return accounts;
  }

  /** Memory that no process holds, in bytes. */
  public long freeBytes() {
    return ask("asking for free memory", driver::memoryInfo).free();
  }

  /**
   * Takes device memory.
   *
   * @throws CudaCallException when there is not as much
   */
  public DeviceRange allocate(long bytes) {
    DeviceBlock block =
        ask("reserving " + bytes + " bytes", () -> driver.allocate(Math.max(1, bytes)));
    return new DeviceRange(this, block, bytes);
  }

  /**
   * A kernel of a family, whose PTX is loaded when the first of its kernels is asked for.
   *
   * @param family name of the .cu file without its ending
   * @param entry name of the kernel
   */
  public Kernel kernel(String family, String entry) {
    String name = family + "." + entry;
    LoadedModule module = modules.computeIfAbsent(family, this::load);
    List<Parameter> parameters = module.ptx.parameters(entry);
    Driver.Function function = ask("kernel " + name, () -> driver.function(module.module, entry));
    int bytes = Kernel.blockBytes(parameters.size());
    PinnedBlock block = ask("arguments of " + name, () -> pin(HostLedger.Kind.ARGUMENTS, bytes));
    argumentBlocks.add(block);
    return new Kernel(this, name, function, parameters, block);
  }

  private LoadedModule load(String family) {
    Ptx ptx = PtxModules.of(family, gpu);
    String what = "loading " + family + " (" + ptx.architecture() + ")";
    return new LoadedModule(ptx, ask(what, () -> driver.load(ptx.text())));
  }

  /** Which architecture's PTX each loaded family uses. */
  public Map<String, String> architectures() {
    Map<String, String> architectures = new java.util.TreeMap<>();
    modules.forEach((family, module) -> architectures.put(family, module.ptx.architecture()));
    return architectures;
  }

  /** Waits until everything queued is done. */
  public void synchronize() {
    refuseCapture("waiting for the device");
    waits++;
    run("waiting for the stream", () -> driver.synchronize(stream));
  }

  /** Kernels and captured works queued so far by this context, those of libraries not counted. */
  public long launches() {
    return launches;
  }

  /**
   * How often the host has waited for work on the device so far: for results or for all of it.
   * Waits for a place in the staging ring, whose copies are of long ago, are not counted.
   */
  public long waits() {
    return waits;
  }

  void countWait() {
    waits++;
  }

  /**
   * Captures the launches and fills that {@code work} queues instead of doing them. It may not wait
   * for the device nor copy to or from the host, and should have run once before, so that libraries
   * have loaded what they use.
   *
   * @param name how messages call it
   */
  public CapturedWork capture(String name, Runnable work) {
    refuseCapture("capturing " + name);
    run("starting to capture " + name, () -> driver.beginCapture(stream));
    capturing = name;
    Driver.Graph graph = null;
    RuntimeException failure = null;
    try {
      work.run();
    } catch (RuntimeException e) {
      failure = e;
    } finally {
      capturing = null;
    }
    try {
      graph = ask("capturing " + name, () -> driver.endCapture(stream));
    } catch (CudaCallException e) {
      if (failure == null) {
        throw e;
      }
      failure.addSuppressed(e); // the consequence of the first
    }
    if (failure != null) {
      Driver.Graph partial = graph;
      if (partial != null) {
        run("giving back captured " + name, () -> driver.destroy(partial));
      }
      throw failure;
    }
    return new CapturedWork(this, name, graph);
  }

  /**
   * Runs {@code copies}, whose writes to the device then run beside the kernels queued from now on;
   * these must not touch their targets before {@link #awaitUploads}. Launches are refused inside.
   */
  public void upload(Runnable copies) {
    beginUpload();
    fillUpload(copies);
  }

  /**
   * Begins an upload that {@link #fillUpload} makes: its copies start when what is queued by now is
   * done, whatever is queued in between.
   */
  public void beginUpload() {
    refuseCapture("uploading");
    uploads.begin();
  }

  /**
   * As {@link #upload}, but beside everything queued since {@link #beginUpload}, none of which may
   * touch the copies' targets.
   */
  public void fillUpload(Runnable copies) {
    refuseCapture("uploading");
    uploads.fill(copies);
  }

  /** What is queued from now on waits for the uploads so far. The host does not. */
  public void awaitUploads() {
    uploads.await();
  }

  private void refuseCapture(String what) {
    if (capturing != null) {
      throw new IllegalStateException(what + " inside captured " + capturing);
    }
  }

  /** A mark in the stream, for timing. */
  public StreamMark mark() {
    refuseCapture("a mark");
    Driver.Event event = ask("making an event", driver::createEvent);
    run("recording an event", () -> driver.record(event, stream));
    return new StreamMark(this, event);
  }

  /** Page-locked memory that this context has taken of the host. */
  public HostLedger hostLedger() {
    return host;
  }

  /** The one place where host memory is page-locked. */
  PinnedBlock pin(HostLedger.Kind kind, long bytes) {
    PinnedBlock block = driver.allocatePinned(bytes);
    host.taken(kind, bytes);
    return block;
  }

  /** Gives back what {@link #pin} took. */
  void unpin(HostLedger.Kind kind, PinnedBlock block, long bytes) {
    driver.freePinned(block);
    host.given(kind, bytes);
  }

  /** What writes go through now. */
  Staging staging() {
    refuseCapture("a copy to the device");
    return uploads.isFilling() ? uploads.staging() : staging;
  }

  Fetching fetching() {
    refuseCapture("a copy from the device");
    if (uploads.isFilling()) {
      throw new IllegalStateException("a copy from the device inside an upload");
    }
    return fetching;
  }

  /** Stream that copies and fills are queued on now. */
  Driver.Stream copyStream() {
    return uploads.isFilling() ? uploads.stream() : stream;
  }

  Driver driver() {
    return driver;
  }

  Driver.Stream stream() {
    return stream;
  }

  void permitSharedMemory(String kernel, Driver.Function function, int bytes) {
    run(
        "kernel " + kernel + ", " + bytes + " bytes of shared memory",
        () -> driver.permitSharedMemory(function, bytes));
  }

  void launch(
      String kernel,
      Driver.Function function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      PinnedBlock arguments) {
    follow();
    if (uploads.isFilling()) {
      throw new IllegalStateException("kernel " + kernel + " launched inside an upload");
    }
    try {
      driver.launch(
          function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, arguments);
    } catch (DriverFailure e) {
      throw failure(
          e,
          String.format(
              "kernel %s, grid %dx%dx%d, block %dx%dx%d, %d bytes of shared memory",
              kernel, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes));
    }
    lastLaunch = kernel;
    launches++;
  }

  void launch(String name, Driver.Graph graph) {
    follow();
    refuseCapture("captured " + name + " launched");
    try {
      driver.launch(graph, stream);
    } catch (DriverFailure e) {
      throw failure(e, "captured " + name);
    }
    lastLaunch = name;
    launches++;
  }

  /** Makes the context current on the thread that now drives the device. */
  private void follow() {
    if (closed) {
      throw new IllegalStateException(gpu.device() + " is closed");
    }
    if (Thread.currentThread() != owner) {
      owner = Thread.currentThread();
      try {
        driver.makeCurrent();
      } catch (DriverFailure e) {
        throw failure(e, "another thread");
      }
    }
  }

  void run(String what, Runnable call) {
    if (planning != null) {
      return;
    }
    ask(
        what,
        () -> {
          call.run();
          return null;
        });
  }

  <T> T ask(String what, Supplier<T> call) {
    follow();
    try {
      return call.get();
    } catch (DriverFailure e) {
      throw failure(e, what);
    }
  }

  private CudaCallException failure(DriverFailure e, String what) {
    Optional<Driver.MemoryInfo> memory;
    try {
      memory = Optional.of(driver.memoryInfo());
    } catch (DriverFailure broken) { // after some errors the driver answers nothing more
      memory = Optional.empty();
    }
    return new CudaCallException(message(e, what + ", last launch " + lastLaunch, gpu, memory), e);
  }

  private static String message(
      DriverFailure e, String what, Gpu gpu, Optional<Driver.MemoryInfo> memory) {
    return String.format(
        "%s failed: %s (%s; %s %s; memory %s)",
        e.call(),
        e.result(),
        what,
        gpu.device(),
        gpu.name(),
        memory.map(m -> m.free() + " of " + m.total() + " bytes free").orElse("unknown"));
  }

  /** Waits for the queued work and gives everything back; ranges must have been closed before. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    run(
        "closing",
        () -> {
          driver.synchronize(stream);
          uploads.close();
          staging.close();
          fetching.close();
          argumentBlocks.forEach(
              block -> unpin(HostLedger.Kind.ARGUMENTS, block, block.buffer().capacity()));
          modules.values().forEach(module -> driver.unload(module.module));
          driver.destroy(stream);
          driver.releaseContext(gpu.ordinal());
        });
    closed = true;
  }
}
