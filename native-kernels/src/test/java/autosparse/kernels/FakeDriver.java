package autosparse.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A driver in host memory: copies and fills are done at once, launches are written down. */
class FakeDriver implements Driver {
  static final Gpu GPU = new Gpu(0, "Fake GPU", 9, 0, 132, 1L << 30);

  /** Calls that fail, with the driver's name of the error. */
  final Map<String, String> failing = new HashMap<>();

  final List<String> copies = new ArrayList<>();

  /** Copies, fills, events and graphs in the order of their queueing, with their stream. */
  final List<String> queue = new ArrayList<>();

  /** Free memory that the driver tells, of 4000 bytes. */
  long freeBytes = 1000;

  long contextBytes = 300;
  int releasedContexts;

  /** Context that is current. */
  String current = "none";

  int waits;
  int graphs;
  int version = 12060;
  List<Gpu> gpus = List.of(GPU);
  int liveBlocks;
  long pinnedBytes;
  int launches;
  int sharedBytes;
  private long nextAddress = 1 << 20;
  private int streams;
  private int events;
  private int capturedFrom = -1;

  private final class Block implements DeviceBlock, PinnedBlock {
    private final long address;
    private final ByteBuffer memory;

    Block(long bytes) {
      address = nextAddress;
      nextAddress += (bytes + 255) / 256 * 256;
      memory = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder());
      liveBlocks++;
    }

    @Override
    public long address() {
      return address;
    }

    @Override
    public ByteBuffer buffer() {
      return memory;
    }
  }

  private record Handle(String name) implements Context, Stream, Event, Module, Function {}

  /** What was launched while it was captured. */
  private record Captured(int launches) implements Graph {}

  private void queue(String what, Stream stream) {
    queue.add(what + " on " + ((Handle) stream).name);
  }

  void fails(String call) {
    if (failing.containsKey(call)) {
      throw new DriverFailure(call, failing.get(call));
    }
  }

  @Override
  public int version() {
    fails("cuDriverGetVersion");
    return version;
  }

  @Override
  public int deviceCount() {
    return gpus.size();
  }

  @Override
  public Gpu describe(int ordinal) {
    fails("cuDeviceGet");
    return gpus.get(ordinal);
  }

  @Override
  public void retainContext(int ordinal) {
    fails("cuDevicePrimaryCtxRetain");
  }

  @Override
  public void makeCurrent() {
    current = "retained";
  }

  @Override
  public void releaseContext(int ordinal) {
    releasedContexts++;
  }

  @Override
  public MemoryInfo memoryInfo() {
    fails("cuMemGetInfo");
    return new MemoryInfo(freeBytes, 4000);
  }

  @Override
  public Context createContext(int ordinal) {
    fails("cuCtxCreate");
    current = "another";
    freeBytes -= contextBytes;
    return new Handle("context");
  }

  @Override
  public void destroy(Context context) {
    current = "none";
    fails("cuCtxDestroy");
    freeBytes += contextBytes;
  }

  @Override
  public DeviceBlock allocate(long bytes) {
    fails("cuMemAlloc");
    return new Block(bytes);
  }

  @Override
  public void free(DeviceBlock block) {
    liveBlocks--;
  }

  @Override
  public PinnedBlock allocatePinned(long bytes) {
    pinnedBytes += bytes;
    return new Block(bytes);
  }

  @Override
  public void freePinned(PinnedBlock block) {
    pinnedBytes -= block.buffer().capacity();
    liveBlocks--;
  }

  @Override
  public void copyToDevice(
      DeviceBlock block, long offset, PinnedBlock source, long from, long bytes, Stream stream) {
    fails("cuMemcpyHtoDAsync");
    copies.add("to device " + bytes);
    queue("copy " + bytes, stream);
    ((Block) block).memory.put((int) offset, source.buffer(), (int) from, (int) bytes);
  }

  @Override
  public void copyToHost(
      PinnedBlock target, DeviceBlock block, long offset, long bytes, Stream stream) {
    copies.add("to host " + bytes);
    target.buffer().put(0, ((Block) block).memory, (int) offset, (int) bytes);
  }

  @Override
  public void fill(DeviceBlock block, long offset, int word, long words, Stream stream) {
    queue("fill " + words, stream);
    for (int i = 0; i < words; i++) {
      ((Block) block).memory.putInt((int) offset + 4 * i, word);
    }
  }

  @Override
  public Stream createStream() {
    return new Handle("stream " + streams++);
  }

  @Override
  public void synchronize(Stream stream) {
    fails("cuStreamSynchronize");
  }

  @Override
  public void destroy(Stream stream) {}

  @Override
  public Event createEvent() {
    return new Handle("event " + events++);
  }

  @Override
  public void record(Event event, Stream stream) {
    queue("record " + ((Handle) event).name, stream);
  }

  @Override
  public void synchronize(Event event) {
    waits++;
  }

  @Override
  public void await(Event event, Stream stream) {
    queue("await " + ((Handle) event).name, stream);
  }

  @Override
  public void beginCapture(Stream stream) {
    fails("cuStreamBeginCapture");
    capturedFrom = launches;
  }

  @Override
  public Graph endCapture(Stream stream) {
    int captured = launches - capturedFrom;
    launches = capturedFrom;
    fails("cuStreamEndCapture");
    graphs++;
    return new Captured(captured);
  }

  @Override
  public void launch(Graph graph, Stream stream) {
    fails("cuGraphLaunch");
    launches += ((Captured) graph).launches;
  }

  @Override
  public void destroy(Graph graph) {
    graphs--;
  }

  @Override
  public float elapsed(Event from, Event to) {
    return 1.5f;
  }

  @Override
  public void destroy(Event event) {}

  @Override
  public Module load(byte[] ptx) {
    fails("cuModuleLoadDataEx");
    return new Handle("module");
  }

  @Override
  public void unload(Module module) {}

  @Override
  public Function function(Module module, String entry) {
    return new Handle(entry);
  }

  @Override
  public void permitSharedMemory(Function function, int bytes) {
    fails("cuFuncSetAttribute");
    sharedBytes = bytes;
  }

  @Override
  public void launch(
      Function function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int bytes,
      Stream stream,
      PinnedBlock arguments) {
    if (!failing.isEmpty()) {
      fails("cuLaunchKernel");
    }
    launches++;
  }
}
