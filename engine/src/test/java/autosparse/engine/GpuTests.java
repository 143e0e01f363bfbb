package autosparse.engine;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import autosparse.kernels.CudaDriver;

/** Tests that need a GPU are skipped, with the reason, where there is none. */
public final class GpuTests {
  private GpuTests() {}

  /** Skips the test without a GPU; with {@code REQUIRE_GPU=1} fails it. */
  public static void require() {
    CudaDriver driver = CudaDriver.probe();
    if (!driver.isAvailable()) {
      if ("1".equals(System.getenv("REQUIRE_GPU"))) {
        fail("REQUIRE_GPU=1, but " + driver.unavailable());
      }
      abort(driver.unavailable());
    }
  }
}
