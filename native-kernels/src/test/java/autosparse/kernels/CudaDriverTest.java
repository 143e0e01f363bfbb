package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CudaDriverTest {
  private static final Optional<String> LIBRARY = Optional.of("/lib/libcuda.so.1");

  private static String unavailable(FakeDriver driver) {
    CudaDriver found = CudaDriver.probe(LIBRARY, () -> driver);
    assertFalse(found.isAvailable());
    return found.unavailable();
  }

  @Test
  void absentDriverIsOneLine() {
    CudaDriver driver =
        CudaDriver.probe(
            Optional.empty(),
            () -> {
              throw new AssertionError("JCuda was touched");
            });
    assertFalse(driver.isAvailable());
    assertEquals("no NVIDIA driver (libcuda.so.1 not found)", driver.unavailable());
  }

  @Test
  void tooOldDriverSaysWhatIsNeeded() {
    FakeDriver driver = new FakeDriver();
    driver.version = 11080;
    assertEquals(
        "the NVIDIA driver supports CUDA 11.8 at most; 12.0 or newer is needed"
            + " (driver 525 or newer)",
        unavailable(driver));
  }

  @Test
  void driverThatFailsOrSeesNothingSaysSo() {
    FakeDriver failing = new FakeDriver();
    failing.failing.put("cuDriverGetVersion", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
    assertEquals(
        "the NVIDIA driver (/lib/libcuda.so.1) failed: cuDriverGetVersion:"
            + " CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        unavailable(failing));
    FakeDriver blind = new FakeDriver();
    blind.gpus = List.of();
    assertEquals("the NVIDIA driver sees no device", unavailable(blind));
  }

  @Test
  void brokenCacheFolderAndUnusableLibraryAreOneLineEach() {
    CudaDriver cache =
        CudaDriver.probe(
            LIBRARY,
            () -> {
              throw new NativeCacheException("the folder is broken", null);
            });
    assertEquals("the folder is broken", cache.unavailable());
    CudaDriver library =
        CudaDriver.probe(
            LIBRARY,
            () -> {
              throw new UnsatisfiedLinkError("undefined symbol: cuX\nLong advice");
            });
    assertEquals(
        "JCuda cannot use /lib/libcuda.so.1: undefined symbol: cuX", library.unavailable());
  }

  @Test
  void devicesAreListed() {
    CudaDriver driver = CudaDriver.probe(LIBRARY, FakeDriver::new);
    assertEquals(List.of(FakeDriver.GPU), driver.devices());
    assertEquals("12.6", driver.version());
  }

  @Test
  void thisMachineHasDevicesOrAReason() {
    CudaDriver driver = CudaDriver.probe();
    assertEquals(driver.isAvailable(), driver.unavailable().isEmpty());
    assertEquals(1, (driver.unavailable() + " ").lines().count());
    for (Gpu gpu : driver.devices()) {
      assertTrue(gpu.major() > 0 && gpu.totalBytes() > 0 && !gpu.name().isEmpty(), gpu.toString());
    }
  }

  @Test
  void errorsAreCutToTheirFirstLine() {
    assertEquals(
        "cannot open shared object file",
        CudaDriver.firstLine(new UnsatisfiedLinkError("cannot open shared object file\nAdvice")));
    assertEquals(
        "inner",
        CudaDriver.firstLine(
            new ExceptionInInitializerError(new IllegalStateException("inner\nmore"))));
  }
}
