package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CapturedWorkTest {
  private final FakeDriver driver = new FakeDriver();

  private CudaContext open() {
    return CudaContext.open(() -> driver, 0);
  }

  @Test
  void launchesAreRecordedOnceAndRepeated() {
    try (CudaContext context = open()) {
      ElementwiseKernels kernels = new ElementwiseKernels(context);
      CapturedWork work =
          context.capture(
              "two fills",
              () -> {
                kernels.fill(Storage.F32, 0, 10, 1);
                kernels.fill(Storage.F32, 64, 10, 2);
              });
      assertEquals(0, driver.launches, "nothing is done yet");
      work.launch();
      work.launch();
      assertEquals(4, driver.launches);
      work.close();
      work.close();
      assertEquals(0, driver.graphs);
      assertThrows(IllegalStateException.class, work::launch);
    }
  }

  @Test
  void whatCannotBeRepeatedIsRefused() {
    try (CudaContext context = open();
        DeviceRange range = context.allocate(64)) {
      refused(context, context::synchronize);
      refused(context, context::mark);
      refused(context, () -> range.write(0, new int[1], 0, 1));
      refused(context, () -> range.read(0, new int[1], 0, 1));
      refused(context, () -> context.upload(() -> {}));
      refused(context, () -> context.capture("inner", () -> {}));
      assertEquals(0, driver.graphs, "what was captured up to there is given back");
      context.synchronize();
    }
  }

  private static void refused(CudaContext context, Runnable work) {
    String message =
        assertThrows(IllegalStateException.class, () -> context.capture("piece", work))
            .getMessage();
    assertTrue(message.endsWith("inside captured piece"), message);
  }

  @Test
  void failuresSayWhatWasCaptured() {
    try (CudaContext context = open()) {
      CapturedWork work = context.capture("piece", () -> {});
      fails("cuStreamBeginCapture", () -> context.capture("piece", () -> {}));
      fails("cuStreamEndCapture", () -> context.capture("piece", () -> {}));
      fails("cuGraphLaunch", work::launch);
      work.close();
    }
  }

  private void fails(String call, Runnable body) {
    driver.failing.put(call, "CUDA_ERROR_UNKNOWN");
    String message = assertThrows(CudaCallException.class, body::run).getMessage();
    assertTrue(message.startsWith(call + " failed: CUDA_ERROR_UNKNOWN ("), message);
    assertTrue(message.contains("piece"), message);
    driver.failing.clear();
  }

  @Test
  void failureOfThePieceIsTheOneThatIsThrown() {
    try (CudaContext context = open()) {
      IllegalArgumentException own = new IllegalArgumentException("own");
      driver.failing.put("cuStreamEndCapture", "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  context.capture(
                      "piece",
                      () -> {
                        throw own;
                      }));
      assertSame(own, thrown);
      assertEquals(1, thrown.getSuppressed().length);
      driver.failing.clear();
    }
  }
}
