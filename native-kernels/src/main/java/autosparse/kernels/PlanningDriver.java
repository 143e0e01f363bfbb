package autosparse.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A driver without a device: it hands out handles and addresses and does nothing. What it counts as
 * memory is the described device's.
 */
final class PlanningDriver implements Driver {
  /** Where the first block lies; any multiple of 256 but 0, which kernels take for "none". */
  private static final long FIRST_ADDRESS = 1L << 32;

  private final Gpu gpu;
  private final boolean cublas;
  private long nextAddress = FIRST_ADDRESS;

  /**
   * @param cublas whether products are planned with NVIDIA's library
   */
  PlanningDriver(Gpu gpu, boolean cublas) {
    this.gpu = gpu;
    this.cublas = cublas;
  }

  boolean cublas() {
    return cublas;
  }

  private record Handle(String name) implements Context, Stream, Event, Graph, Module, Function {}

  private record Block(long address) implements DeviceBlock {}

  /** A block of the heap, made when somebody looks into it. */
  private static final class HeapBlock implements PinnedBlock {
    private final long address;
    private final int bytes;
    private ByteBuffer buffer;

    HeapBlock(long address, int bytes) {
      this.address = address;
      this.bytes = bytes;
    }

    @Override
    public long address() {
      return address;
    }

    @Override
    public ByteBuffer buffer() {
      if (buffer == null) {
        buffer = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
      }
      return buffer;
    }
  }

  private long take(long bytes) {
    long address = nextAddress;
    nextAddress += (bytes + 255) / 256 * 256;
    return address;
  }

  @Override
  public int version() {
    return LOWEST_VERSION;
  }

  @Override
  public int deviceCount() {
    return gpu.ordinal() + 1;
  }

  @Override
  public Gpu describe(int ordinal) {
    return gpu;
  }

  @Override
  public void retainContext(int ordinal) {}

  @Override
  public void makeCurrent() {}

  @Override
  public void releaseContext(int ordinal) {}

  @Override
  public MemoryInfo memoryInfo() {
    return new MemoryInfo(gpu.totalBytes(), gpu.totalBytes());
  }

  @Override
  public Context createContext(int ordinal) {
    return new Handle("context");
  }

  @Override
  public void destroy(Context context) {}

  @Override
  public DeviceBlock allocate(long bytes) {
    return new Block(take(bytes));
  }

  @Override
  public void free(DeviceBlock block) {}

  @Override
  public PinnedBlock allocatePinned(long bytes) {
    return new HeapBlock(take(bytes), Math.toIntExact(bytes));
  }

  @Override
  public void freePinned(PinnedBlock block) {}

  @Override
  public void copyToDevice(
      DeviceBlock block, long offset, PinnedBlock source, long from, long bytes, Stream stream) {}

  @Override
  public void copyToHost(
      PinnedBlock target, DeviceBlock block, long offset, long bytes, Stream stream) {}

  @Override
  public void fill(DeviceBlock block, long offset, int word, long words, Stream stream) {}

  @Override
  public Stream createStream() {
    return new Handle("stream");
  }

  @Override
  public void synchronize(Stream stream) {}

  @Override
  public void destroy(Stream stream) {}

  @Override
  public Event createEvent() {
    return new Handle("event");
  }

  @Override
  public void record(Event event, Stream stream) {}

  @Override
  public void synchronize(Event event) {}

  @Override
  public void await(Event event, Stream stream) {}

  @Override
  public void beginCapture(Stream stream) {}

  @Override
  public Graph endCapture(Stream stream) {
    return new Handle("graph");
  }

  @Override
  public void launch(Graph graph, Stream stream) {}

  @Override
  public void destroy(Graph graph) {}

  @Override
  public float elapsed(Event from, Event to) {
    return 0;
  }

  @Override
  public void destroy(Event event) {}

  @Override
  public Module load(byte[] ptx) {
    return new Handle("module");
  }

  @Override
  public void unload(Module module) {}

  @Override
  public Function function(Module module, String entry) {
    return new Handle(entry);
  }

  @Override
  public void permitSharedMemory(Function function, int bytes) {}

  @Override
  public void launch(
      Function function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      Stream stream,
      PinnedBlock arguments) {}
}
