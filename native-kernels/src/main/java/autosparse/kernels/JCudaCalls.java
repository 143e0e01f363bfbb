package autosparse.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/** The driver through JCuda. */
final class JCudaCalls implements Driver {
  private static final int COMPILER_LOG_BYTES = 4096;

  private final CUcontext context = new CUcontext();

  private record ContextHandle(CUcontext handle) implements Context {}

  private record StreamHandle(CUstream handle) implements Stream {}

  private record EventHandle(CUevent handle) implements Event {}

  private record GraphHandle(CUgraphExec handle) implements Graph {}

  private record ModuleHandle(CUmodule handle) implements Module {}

  private record FunctionHandle(CUfunction handle) implements Function {}

  /** A device pointer whose value can be read. */
  private static final class Block extends CUdeviceptr implements DeviceBlock {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  /** A host pointer whose value can be read, and the memory behind it. */
  private static final class Pinned extends Pointer implements PinnedBlock {
    private ByteBuffer buffer;

    @Override
    public long address() {
      return getNativePointer();
    }

    @Override
    public ByteBuffer buffer() {
      return buffer;
    }
  }

  private JCudaCalls() {}

  /**
   * Loads JCuda and starts the driver.
   *
   * @throws DriverFailure when the driver does not start
   * @throws LinkageError when JCuda's library does not load
   */
  static JCudaCalls start() {
    NativeCache.ofUser().loadJCuda("JCudaDriver", () -> JCudaDriver.setExceptionsEnabled(true));
    check("cuInit", () -> JCudaDriver.cuInit(0));
    return new JCudaCalls();
  }

  /** Runs one call and gives its failure the call's name, which JCuda's exceptions lack. */
  private static void check(String call, Runnable body) {
    try {
      body.run();
    } catch (CudaException e) {
      throw failure(call, e);
    }
  }

  private static DriverFailure failure(String call, CudaException e) {
    return new DriverFailure(call, e.getMessage());
  }

  @Override
  public int version() {
    int[] version = new int[1];
    check("cuDriverGetVersion", () -> JCudaDriver.cuDriverGetVersion(version));
    return version[0];
  }

  @Override
  public int deviceCount() {
    int[] count = new int[1];
    check("cuDeviceGetCount", () -> JCudaDriver.cuDeviceGetCount(count));
    return count[0];
  }

  private static CUdevice device(int ordinal) {
    CUdevice device = new CUdevice();
    check("cuDeviceGet", () -> JCudaDriver.cuDeviceGet(device, ordinal));
    return device;
  }

  @Override
  public Gpu describe(int ordinal) {
    CUdevice device = device(ordinal);
    byte[] name = new byte[256];
    check("cuDeviceGetName", () -> JCudaDriver.cuDeviceGetName(name, name.length, device));
    long[] bytes = new long[1];
    check("cuDeviceTotalMem", () -> JCudaDriver.cuDeviceTotalMem(bytes, device));
    return new Gpu(
        ordinal,
        text(name),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device),
        bytes[0]);
  }

  private static int attribute(int attribute, CUdevice device) {
    int[] value = new int[1];
    check("cuDeviceGetAttribute", () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  /** The string before the first zero byte. */
  private static String text(byte[] bytes) {
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }

  @Override
  public void retainContext(int ordinal) {
    CUdevice device = device(ordinal);
    check("cuDevicePrimaryCtxRetain", () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    makeCurrent();
  }

  @Override
  public void makeCurrent() {
    check("cuCtxSetCurrent", () -> JCudaDriver.cuCtxSetCurrent(context));
  }

  @Override
  public void releaseContext(int ordinal) {
    CUdevice device = device(ordinal);
    check("cuDevicePrimaryCtxRelease", () -> JCudaDriver.cuDevicePrimaryCtxRelease(device));
  }

  @Override
  public MemoryInfo memoryInfo() {
    long[] free = new long[1];
    long[] total = new long[1];
    check("cuMemGetInfo", () -> JCudaDriver.cuMemGetInfo(free, total));
    return new MemoryInfo(free[0], total[0]);
  }

  @Override
  public Context createContext(int ordinal) {
    CUdevice device = device(ordinal);
    CUcontext another = new CUcontext();
    check("cuCtxCreate", () -> JCudaDriver.cuCtxCreate(another, 0, device));
    return new ContextHandle(another);
  }

  @Override
  public void destroy(Context another) {
    check("cuCtxDestroy", () -> JCudaDriver.cuCtxDestroy(((ContextHandle) another).handle));
  }

  @Override
  public DeviceBlock allocate(long bytes) {
    Block block = new Block();
    check("cuMemAlloc", () -> JCudaDriver.cuMemAlloc(block, bytes));
    return block;
  }

  @Override
  public void free(DeviceBlock block) {
    check("cuMemFree", () -> JCudaDriver.cuMemFree((Block) block));
  }

  @Override
  public PinnedBlock allocatePinned(long bytes) {
    Pinned block = new Pinned();
    check("cuMemAllocHost", () -> JCudaDriver.cuMemAllocHost(block, bytes));
    block.buffer = block.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
    return block;
  }

  @Override
  public void freePinned(PinnedBlock block) {
    check("cuMemFreeHost", () -> JCudaDriver.cuMemFreeHost((Pinned) block));
  }

  @Override
  public void copyToDevice(
      DeviceBlock block, long offset, PinnedBlock source, long from, long bytes, Stream stream) {
    CUdeviceptr target = ((Block) block).withByteOffset(offset);
    Pointer place = ((Pinned) source).withByteOffset(from);
    check(
        "cuMemcpyHtoDAsync",
        () -> JCudaDriver.cuMemcpyHtoDAsync(target, place, bytes, ((StreamHandle) stream).handle));
  }

  @Override
  public void copyToHost(
      PinnedBlock target, DeviceBlock block, long offset, long bytes, Stream stream) {
    CUdeviceptr source = ((Block) block).withByteOffset(offset);
    check(
        "cuMemcpyDtoHAsync",
        () ->
            JCudaDriver.cuMemcpyDtoHAsync(
                (Pinned) target, source, bytes, ((StreamHandle) stream).handle));
  }

  @Override
  public void fill(DeviceBlock block, long offset, int word, long words, Stream stream) {
    CUdeviceptr target = ((Block) block).withByteOffset(offset);
    check(
        "cuMemsetD32Async",
        () -> JCudaDriver.cuMemsetD32Async(target, word, words, ((StreamHandle) stream).handle));
  }

  /** JCuda's own handle of a stream that this driver made. */
  static CUstream handle(Stream stream) {
    return ((StreamHandle) stream).handle;
  }

  @Override
  public Stream createStream() {
    CUstream stream = new CUstream();
    check(
        "cuStreamCreate",
        () -> JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    return new StreamHandle(stream);
  }

  @Override
  public void synchronize(Stream stream) {
    check(
        "cuStreamSynchronize",
        () -> JCudaDriver.cuStreamSynchronize(((StreamHandle) stream).handle));
  }

  @Override
  public void destroy(Stream stream) {
    check("cuStreamDestroy", () -> JCudaDriver.cuStreamDestroy(((StreamHandle) stream).handle));
  }

  @Override
  public Event createEvent() {
    CUevent event = new CUevent();
    check("cuEventCreate", () -> JCudaDriver.cuEventCreate(event, 0));
    return new EventHandle(event);
  }

  @Override
  public void record(Event event, Stream stream) {
    check(
        "cuEventRecord",
        () ->
            JCudaDriver.cuEventRecord(
                ((EventHandle) event).handle, ((StreamHandle) stream).handle));
  }

  @Override
  public void synchronize(Event event) {
    check("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(((EventHandle) event).handle));
  }

  @Override
  public void await(Event event, Stream stream) {
    check(
        "cuStreamWaitEvent",
        () ->
            JCudaDriver.cuStreamWaitEvent(
                ((StreamHandle) stream).handle, ((EventHandle) event).handle, 0));
  }

  @Override
  public void beginCapture(Stream stream) {
    // Relaxed: a library may load a kernel that it meets for the first time.
    check(
        "cuStreamBeginCapture",
        () ->
            JCudaDriver.cuStreamBeginCapture(
                ((StreamHandle) stream).handle,
                CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
  }

  @Override
  public Graph endCapture(Stream stream) {
    CUgraph graph = new CUgraph();
    check(
        "cuStreamEndCapture",
        () -> JCudaDriver.cuStreamEndCapture(((StreamHandle) stream).handle, graph));
    CUgraphExec executable = new CUgraphExec();
    try {
      check("cuGraphInstantiate", () -> JCudaDriver.cuGraphInstantiate(executable, graph, 0));
    } finally {
      check("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
    }
    return new GraphHandle(executable);
  }

  @Override
  public void launch(Graph graph, Stream stream) {
    try {
      JCudaDriver.cuGraphLaunch(((GraphHandle) graph).handle, ((StreamHandle) stream).handle);
    } catch (CudaException e) {
      throw failure("cuGraphLaunch", e);
    }
  }

  @Override
  public void destroy(Graph graph) {
    check("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(((GraphHandle) graph).handle));
  }

  @Override
  public float elapsed(Event from, Event to) {
    float[] milliseconds = new float[1];
    check(
        "cuEventElapsedTime",
        () ->
            JCudaDriver.cuEventElapsedTime(
                milliseconds, ((EventHandle) from).handle, ((EventHandle) to).handle));
    return milliseconds[0];
  }

  @Override
  public void destroy(Event event) {
    check("cuEventDestroy", () -> JCudaDriver.cuEventDestroy(((EventHandle) event).handle));
  }

  @Override
  public Module load(byte[] ptx) {
    CUmodule module = new CUmodule();
    // The compiler reads a string that ends in zero, off the heap: it takes a tenth of a second.
    ByteBuffer text = ByteBuffer.allocateDirect(ptx.length + 1).put(ptx).put((byte) 0);
    text.rewind();
    JITOptions options = new JITOptions();
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[COMPILER_LOG_BYTES]);
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, COMPILER_LOG_BYTES);
    try {
      JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(text), options);
    } catch (CudaException e) {
      String log = text(options.getBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER)).strip();
      throw new DriverFailure(
          "cuModuleLoadDataEx", e.getMessage() + (log.isEmpty() ? "" : " (" + log + ")"));
    }
    return new ModuleHandle(module);
  }

  @Override
  public void unload(Module module) {
    check("cuModuleUnload", () -> JCudaDriver.cuModuleUnload(((ModuleHandle) module).handle));
  }

  @Override
  public Function function(Module module, String entry) {
    CUfunction function = new CUfunction();
    check(
        "cuModuleGetFunction",
        () -> JCudaDriver.cuModuleGetFunction(function, ((ModuleHandle) module).handle, entry));
    return new FunctionHandle(function);
  }

  @Override
  public void permitSharedMemory(Function function, int bytes) {
    check(
        "cuFuncSetAttribute",
        () ->
            JCudaDriver.cuFuncSetAttribute(
                ((FunctionHandle) function).handle,
                CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                bytes));
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
      int sharedBytes,
      Stream stream,
      PinnedBlock arguments) {
    try {
      JCudaDriver.cuLaunchKernel(
          ((FunctionHandle) function).handle,
          gridX,
          gridY,
          gridZ,
          blockX,
          blockY,
          blockZ,
          sharedBytes,
          ((StreamHandle) stream).handle,
          (Pinned) arguments,
          null);
    } catch (CudaException e) {
      throw failure("cuLaunchKernel", e);
    }
  }
}
