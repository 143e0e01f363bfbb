package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CudaContextTest {
  private final FakeDriver driver = new FakeDriver();

  private CudaContext open() {
    return CudaContext.open(() -> driver, 0);
  }

  private static String message(Runnable call) {
    String message = assertThrows(CudaCallException.class, call::run).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void deviceThatDoesNotOpenSaysWhich() {
    driver.failing.put("cuDevicePrimaryCtxRetain", "CUDA_ERROR_DEVICE_UNAVAILABLE");
    assertEquals(
        "cuDevicePrimaryCtxRetain failed: CUDA_ERROR_DEVICE_UNAVAILABLE (opening the device;"
            + " cuda:0 Fake GPU; memory unknown)",
        message(this::open));
    assertEquals(0, driver.releasedContexts);
  }

  @Test
  void outOfMemorySaysHowMuchWasWantedAndFree() {
    try (CudaContext context = open()) {
      driver.failing.put("cuMemAlloc", "CUDA_ERROR_OUT_OF_MEMORY");
      assertEquals(
          "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (reserving 123456 bytes, last launch none;"
              + " cuda:0 Fake GPU; memory 1000 of 4000 bytes free)",
          message(() -> context.allocate(123456)));
    }
  }

  @Test
  void failingLaunchSaysKernelAndGeometry() {
    try (CudaContext context = open()) {
      Kernel kernel = context.kernel("elementwise", "fill_f32");
      kernel.begin().pointer(1).int64(2).float32(3);
      kernel.launch(4, 128);
      driver.failing.put("cuLaunchKernel", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
      assertEquals(
          "cuLaunchKernel failed: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (kernel elementwise.fill_f32,"
              + " grid 5x2x1, block 32x4x1, 16 bytes of shared memory, last launch"
              + " elementwise.fill_f32; cuda:0 Fake GPU; memory 1000 of 4000 bytes free)",
          message(() -> kernel.launch(5, 2, 1, 32, 4, 1, 16)));
      driver.failing.clear();
    }
  }

  @Test
  void errorOfARunningKernelNamesTheLastLaunch() {
    try (CudaContext context = open()) {
      Kernel kernel = context.kernel("elementwise", "copy_f32");
      kernel.begin().pointer(1).pointer(2).int64(3).launch(1, 32);
      driver.failing.put("cuStreamSynchronize", "CUDA_ERROR_ILLEGAL_ADDRESS");
      driver.failing.put("cuMemGetInfo", "CUDA_ERROR_ILLEGAL_ADDRESS");
      assertEquals(
          "cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS (waiting for the stream, last"
              + " launch elementwise.copy_f32; cuda:0 Fake GPU; memory unknown)",
          message(context::synchronize));
      driver.failing.clear();
    }
  }

  @Test
  void ptxThatDoesNotCompileSaysWhichFamily() {
    try (CudaContext context = open()) {
      driver.failing.put("cuModuleLoadDataEx", "CUDA_ERROR_INVALID_PTX (line 3: expected ;)");
      String message = message(() -> context.kernel("elementwise", "fill_f32"));
      assertTrue(message.contains("line 3: expected ;"), message);
      assertTrue(message.contains("loading elementwise (compute_80)"), message);
      driver.failing.clear();
    }
  }

  @Test
  void whatTheDriverTakesIsBookedByPurpose() {
    try (CudaContext context = open()) {
      assertEquals(Map.of("context", 300L), context.accounts().taken());
      driver.freeBytes = 900;
      assertEquals(100, context.accounts().book("modules"));
      driver.freeBytes = 850;
      assertEquals(50, context.accounts().book("graphs"));
      assertEquals(0, context.accounts().book("graphs"));
      driver.freeBytes = 840;
      assertEquals(10, context.accounts().book("graphs"));
      assertEquals(
          Map.of("context", 300L, "modules", 100L, "graphs", 60L), context.accounts().taken());
      driver.freeBytes = 890;
      context.accounts().release("graphs", 50);
      assertEquals(10, context.accounts().taken().get("graphs"));
      driver.freeBytes = 950; // another process ended: nothing of ours
      assertEquals(0, context.accounts().book("modules"));
    }
  }

  @Test
  void aContextThatCannotBeMeasuredSaysSoAndIsReleased() {
    driver.failing.put("cuCtxCreate", "CUDA_ERROR_OUT_OF_MEMORY");
    assertEquals(
        "cuCtxCreate failed: CUDA_ERROR_OUT_OF_MEMORY (opening the device; cuda:0 Fake GPU; memory"
            + " unknown)",
        message(this::open));
    assertEquals(1, driver.releasedContexts);
    driver.failing.clear();
    driver.failing.put("cuMemGetInfo", "CUDA_ERROR_UNKNOWN");
    message(this::open);
    assertEquals(2, driver.releasedContexts);
  }

  @Test
  void aMeasuredContextThatIsNotGivenBackLeavesTheRetainedOneCurrent() {
    driver.failing.put("cuCtxDestroy", "CUDA_ERROR_CONTEXT_IS_DESTROYED");
    String message = message(this::open);
    assertTrue(message.startsWith("cuCtxDestroy failed: CUDA_ERROR_CONTEXT_IS_DESTROYED"), message);
    assertEquals("retained", driver.current);
    assertEquals(1, driver.releasedContexts);
  }

  @Test
  void aLibraryWithoutRoomForItsWorkspaceLeavesNothing() {
    try (CudaContext context = open()) {
      int before = driver.liveBlocks;
      driver.failing.put("cuMemAlloc", "CUDA_ERROR_OUT_OF_MEMORY");
      assertTrue(message(() -> new Cublas(context)).startsWith("cuMemAlloc failed"));
      assertEquals(before, driver.liveBlocks);
      driver.failing.clear();
      new Cublas(context).close();
      assertEquals(before, driver.liveBlocks);
    }
  }

  @Test
  void theFirstFailureIsReportedWhereGivingBackFailsToo() {
    RuntimeException first = new IllegalStateException("first");
    RuntimeException second = new IllegalStateException("second");
    Cleanup.after(
        first,
        () -> {
          throw second;
        });
    assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
  }

  @Test
  void wrongArgumentsAreRefused() {
    try (CudaContext context = open()) {
      Kernel kernel = context.kernel("elementwise", "fill_f32");
      assertEquals(
          "kernel elementwise.fill_f32: argument 1 is F32, parameters are [I64, I64, F32]",
          assertThrows(
                  IllegalStateException.class, () -> kernel.begin().pointer(1).float32(2).int64(3))
              .getMessage());
      assertEquals(
          "kernel elementwise.fill_f32: 1 arguments of 3",
          assertThrows(IllegalStateException.class, () -> kernel.begin().pointer(1).launch(1, 32))
              .getMessage());
      kernel.begin().pointer(1).int64(2).float32(3);
      assertThrows(IllegalStateException.class, () -> kernel.int32(4), "one too many");
      assertEquals(0, driver.launches);
      kernel.launch(0, 32);
      assertEquals(0, driver.launches, "no block, no launch");
    }
  }

  @Test
  void unknownFamilyAndEntryAreRefused() {
    try (CudaContext context = open()) {
      assertThrows(IllegalStateException.class, () -> context.kernel("nothing", "fill_f32"));
      assertThrows(IllegalStateException.class, () -> context.kernel("elementwise", "nothing"));
    }
  }

  @Test
  void launchesAllocateNothing() {
    try (CudaContext context = open()) {
      ElementwiseKernels kernels = new ElementwiseKernels(context);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (int i = 0; i < 20_000; i++) { // until compiled: boxing of the interpreter's is gone
        launch(kernels, i);
      }
      long before = threads.getCurrentThreadAllocatedBytes();
      long nothing = threads.getCurrentThreadAllocatedBytes() - before;
      // What each launch allocates shows in every round; what the JIT throws away, in one.
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 5; round++) {
        before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
          launch(kernels, i);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(nothing, least, "bytes of 2000 launches");
      assertEquals(2 * 25_000, driver.launches);
    }
  }

  private static void launch(ElementwiseKernels kernels, int i) {
    kernels.fill(Storage.BF16, i, 1000, 0.5f);
    kernels.copyColumns(Storage.F32, i, 9, i, 12, 50, 5, true);
  }

  @Test
  void dynamicSharedMemoryIsPermittedOnce() {
    try (CudaContext context = open()) {
      Kernel kernel = context.kernel("elementwise", "fill_f32");
      kernel.begin().pointer(1).int64(2).float32(3);
      kernel.launch(1, 32);
      assertEquals(0, driver.sharedBytes);
      kernel.launch(1, 32, 64 << 10);
      assertEquals(64 << 10, driver.sharedBytes);
      driver.failing.put("cuFuncSetAttribute", "CUDA_ERROR_INVALID_VALUE");
      kernel.launch(1, 32, 32 << 10); // less than before: not asked again
      String message = message(() -> kernel.launch(1, 32, 1 << 20));
      assertTrue(message.contains("kernel elementwise.fill_f32, 1048576 bytes"), message);
      driver.failing.clear();
    }
  }

  @Test
  void copiesGoInPiecesAndComeBackWhole() {
    int count = 2 * Staging.PIECE / 4 + 5;
    float[] values = new float[count + 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    try (CudaContext context = open();
        DeviceRange range = context.allocate(4L * count + 256)) {
      range.write(256, values, 3, count);
      assertEquals(
          List.of("to device 4194304", "to device 4194304", "to device 20"), driver.copies);
      float[] back = new float[count];
      range.read(256, back, 0, count);
      assertEquals(6, driver.copies.size());
      assertArrayEquals(java.util.Arrays.copyOfRange(values, 3, count + 3), back);

      range.write(0, new long[] {5, -6, 7}, 1, 2);
      long[] longs = new long[3];
      range.read(0, longs, 1, 2);
      assertArrayEquals(new long[] {0, -6, 7}, longs);
      range.write(8, new double[] {0.5}, 0, 1);
      double[] doubles = new double[1];
      range.read(8, doubles, 0, 1);
      assertEquals(0.5, doubles[0]);
      range.write(6, new short[] {3, -4}, 0, 2);
      short[] shorts = new short[3];
      range.read(6, shorts, 1, 2);
      assertArrayEquals(new short[] {0, 3, -4}, shorts);
      range.fill(16, 42, 3);
      int[] ints = new int[4];
      range.read(16, ints, 0, 3);
      assertArrayEquals(new int[] {42, 42, 42, 0}, ints);
    }
  }

  @Test
  void copiesOutsideTheRangeAreRefused() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(16)) {
      assertThrows(
          IndexOutOfBoundsException.class, () -> range.write(12, new float[2], 0, 2), "end");
      assertThrows(
          IndexOutOfBoundsException.class, () -> range.read(-4, new int[1], 0, 1), "start");
      range.close();
      assertThrows(IllegalStateException.class, () -> range.fill(0, 0, 1), "given back");
    }
  }

  @Test
  void failingCopySaysHowMuch() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(16)) {
      driver.failing.put("cuMemcpyHtoDAsync", "CUDA_ERROR_INVALID_VALUE");
      String message = message(() -> range.write(0, new float[2], 0, 2));
      assertTrue(message.contains("copying 8 bytes to the device"), message);
      driver.failing.clear();
    }
  }

  @Test
  void closingGivesEverythingBack() {
    CudaContext context = open();
    context.kernel("elementwise", "fill_f32");
    context.allocate(10).close();
    context.close();
    context.close();
    assertEquals(0, driver.liveBlocks);
    assertThrows(IllegalStateException.class, context::synchronize);
  }

  @Test
  void marksGiveMilliseconds() {
    try (CudaContext context = open();
        StreamMark from = context.mark();
        StreamMark to = context.mark()) {
      assertEquals(1.5, from.millisecondsTo(to));
    }
  }
}
