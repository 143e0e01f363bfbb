package autosparse.kernels;

import java.nio.ByteBuffer;

/**
 * The calls of the CUDA driver that we use, so that tests can put a driver that fails in its place.
 *
 * <p>Every method may throw {@link DriverFailure}. Handles are opaque: an implementation takes back
 * only what it handed out. Copies and launches are queued on the given stream and return at once.
 */
interface Driver {
  /** Lowest version that reads our PTX ({@code .version 8.0}), as {@link #version} counts. */
  int LOWEST_VERSION = 12000;

  /** Queue of work that the device does in order. */
  interface Stream {}

  /** A mark in a stream. */
  interface Event {}

  /** Work recorded in a stream, ready to be queued again and again as one. */
  interface Graph {}

  /** Compiled kernels of one file. */
  interface Module {}

  /** One kernel. */
  interface Function {}

  /** A context besides the retained one. */
  interface Context {}

  /** A block of the device's memory. */
  interface DeviceBlock {
    long address();
  }

  /** A block of page-locked host memory, which the device copies from and to by itself. */
  interface PinnedBlock {
    long address();

    /** The block in native byte order; its position is of no meaning. */
    ByteBuffer buffer();
  }

  /** Free and total memory of the current device, in bytes. */
  record MemoryInfo(long free, long total) {}

  /** Highest CUDA version that the driver supports: 1000·major + 10·minor. */
  int version();

  int deviceCount();

  Gpu describe(int ordinal);

  /** Takes the device's primary context and makes it current on this thread. */
  void retainContext(int ordinal);

  /** Makes the retained context current on this thread. */
  void makeCurrent();

  void releaseContext(int ordinal);

  MemoryInfo memoryInfo();

  /** Makes one more context on a device and makes it current on this thread. */
  Context createContext(int ordinal);

  /** Gives back what {@link #createContext} made; no context of ours need be current then. */
  void destroy(Context context);

  DeviceBlock allocate(long bytes);

  void free(DeviceBlock block);

  PinnedBlock allocatePinned(long bytes);

  void freePinned(PinnedBlock block);

  /** Queues block[offset ..] = {@code bytes} of {@code source} from byte {@code from} on. */
  void copyToDevice(
      DeviceBlock block, long offset, PinnedBlock source, long from, long bytes, Stream stream);

  /** Queues the first {@code bytes} of {@code target} = block[offset ..]. */
  void copyToHost(PinnedBlock target, DeviceBlock block, long offset, long bytes, Stream stream);

  /** Queues {@code words} copies of a 32-bit word. */
  void fill(DeviceBlock block, long offset, int word, long words, Stream stream);

  Stream createStream();

  void synchronize(Stream stream);

  void destroy(Stream stream);

  Event createEvent();

  void record(Event event, Stream stream);

  void synchronize(Event event);

  /** What is queued on {@code stream} from now on waits until {@code event} has happened. */
  void await(Event event, Stream stream);

  /** Milliseconds from one event to a later one; both have happened. */
  float elapsed(Event from, Event to);

  void destroy(Event event);

  /**
   * From now on work queued on {@code stream} is recorded instead of done, until {@link
   * #endCapture}; calls that wait for the stream fail meanwhile.
   */
  void beginCapture(Stream stream);

  /**
   * Ends what {@link #beginCapture} began, also after a failure in between, which fails this call
   * too.
   */
  Graph endCapture(Stream stream);

  /** Queues a graph's work. Allocates no Java object. */
  void launch(Graph graph, Stream stream);

  void destroy(Graph graph);

  /** Compiles PTX for the current device. */
  Module load(byte[] ptx);

  void unload(Module module);

  Function function(Module module, String entry);

  /** Permits a kernel more dynamic shared memory than the 48 KiB that it has unasked. */
  void permitSharedMemory(Function function, int bytes);

  /**
   * Queues a launch. Allocates no Java object.
   *
   * @param arguments starts with the addresses of the arguments' values
   */
  void launch(
      Function function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      Stream stream,
      PinnedBlock arguments);
}
