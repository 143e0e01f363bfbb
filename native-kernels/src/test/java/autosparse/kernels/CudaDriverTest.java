package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class CudaDriverTest {
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
