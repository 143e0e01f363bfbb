package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What copies wait for, and which stream they are on. */
class CopiesTest {
  private final FakeDriver driver = new FakeDriver();

  private CudaContext open() {
    return CudaContext.open(() -> driver, 0);
  }

  @Test
  void smallWritesWaitForNothing() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(1 << 20)) {
      for (int i = 0; i < 1000; i++) {
        range.write(4L * i, new int[] {i, 5 * i}, 1, 1);
      }
      assertEquals(0, driver.waits);
      int[] back = new int[1000];
      range.read(0, back, 0, 1000);
      for (int i = 0; i < 1000; i++) {
        assertEquals(5 * i, back[i]);
      }
    }
  }

  @Test
  void ringWaitsForEachSectionOnceItIsFull() {
    int whole = Staging.PIECE / 4;
    try (CudaContext context = open();
        DeviceRange range = context.allocate(Staging.PIECE)) {
      int[] values = new int[whole];
      range.write(0, new int[1], 0, 1);
      for (int turn = 1; turn <= 20; turn++) {
        values[whole - 1] = turn;
        range.write(0, values, 0, whole);
        assertEquals(turn, driver.waits, "a section before it is entered");
      }
      int[] last = new int[1];
      range.read(4L * (whole - 1), last, 0, 1);
      assertEquals(20, last[0]);
    }
  }

  @Test
  void uploadsAreOrderedByEventsAlone() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(1024)) {
      context.awaitUploads();
      context.upload(() -> {}); // makes the second stream and its ring
      driver.queue.clear();
      context.upload(
          () -> {
            range.fill(0, 7, 10);
            range.write(16, new long[] {3, 4}, 0, 2);
          });
      assertEquals(5, driver.queue.size(), driver.queue.toString());
      String queued = driver.queue.get(0);
      assertTrue(queued.matches("record event \\d+ on stream 0"), queued);
      String event = queued.replaceAll("record | on .*", "");
      assertEquals("await " + event + " on stream 1", driver.queue.get(1));
      assertEquals("fill 10 on stream 1", driver.queue.get(2));
      assertEquals("copy 16 on stream 1", driver.queue.get(3));
      String copied = driver.queue.get(4);
      assertTrue(copied.matches("record event \\d+ on stream 1"), copied);
      driver.queue.clear();
      context.awaitUploads();
      context.awaitUploads();
      String awaited = copied.replaceAll("record | on .*", "");
      assertEquals(List.of("await " + awaited + " on stream 0"), driver.queue, "once");
      assertEquals(0, driver.waits, "of the host");
      long[] back = new long[2];
      range.read(16, back, 0, 2);
      assertArrayEquals(new long[] {3, 4}, back);
    }
  }

  /** The copies wait for what was queued when the upload was begun, not for what came after it. */
  @Test
  void anUploadThatIsBegunGoesBesideWhatIsQueuedMeanwhile() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(1024)) {
      refuses(() -> context.fillUpload(() -> {}), "not begun");
      context.upload(() -> {}); // makes the second stream and its ring
      driver.queue.clear();
      context.beginUpload();
      range.fill(512, 1, 10);
      context.fillUpload(() -> range.fill(0, 7, 10));
      String queued = driver.queue.get(0);
      assertTrue(queued.matches("record event \\d+ on stream 0"), queued);
      String event = queued.replaceAll("record | on .*", "");
      assertEquals(
          List.of("await " + event + " on stream 1", "fill 10 on stream 0", "fill 10 on stream 1"),
          driver.queue.subList(1, 4));
      assertTrue(driver.queue.get(4).matches("record event \\d+ on stream 1"));
      assertEquals(5, driver.queue.size(), driver.queue.toString());
      refuses(() -> context.fillUpload(() -> {}), "not begun");
    }
  }

  @Test
  void insideAnUploadNothingElseIsDone() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(1024)) {
      ElementwiseKernels kernels = new ElementwiseKernels(context);
      refuses(
          () -> context.upload(() -> kernels.fill(Storage.F32, 0, 1, 1)),
          "launched inside an upload");
      refuses(() -> context.upload(() -> range.read(0, new int[1], 0, 1)), "inside an upload");
      refuses(() -> context.upload(() -> context.upload(() -> {})), "inside an upload");
      refuses(() -> context.upload(() -> context.fillUpload(() -> {})), "being filled");
      kernels.fill(Storage.F32, 0, 1, 1);
      assertEquals(1, driver.launches, "afterwards all is as before");
    }
  }

  private static void refuses(Runnable call, String why) {
    String message = assertThrows(IllegalStateException.class, call::run).getMessage();
    assertTrue(message.contains(why), message);
  }
}
