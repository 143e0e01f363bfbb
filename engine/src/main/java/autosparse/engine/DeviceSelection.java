package autosparse.engine;

import autosparse.kernels.CudaDriver;
import java.util.function.Supplier;

/**
 * Which device a user's word stands for, and why.
 *
 * @param chosen {@code cpu} or {@code reference}
 * @param reason one line
 */
public record DeviceSelection(String chosen, String reason, HostDevice.Options options) {
  private static final String CUDA = "cuda:";
  private static final String NO_CUDA_ENGINE = "this build has no CUDA engine yet";

  /**
   * Chooses a device.
   *
   * @param name {@code auto}, {@code cpu}, {@code reference} or {@code cuda:N}
   * @throws IllegalArgumentException when the name is unknown or the device cannot be used, with
   *     the reason in one line
   */
  public static DeviceSelection of(String name, HostDevice.Options options) {
    return of(name, options, CudaDriver::probe);
  }

  static DeviceSelection of(
      String name, HostDevice.Options options, Supplier<CudaDriver> cudaDriver) {
    switch (name) {
      case "auto" -> {
        return new DeviceSelection("cpu", withoutCuda(cudaDriver.get()), options);
      }
      case "cpu", "reference" -> {
        return new DeviceSelection(name, "asked for", options);
      }
      default -> {
        if (name.matches(CUDA + "\\d{1,4}")) {
          throw new IllegalArgumentException(
              "device " + name + ": " + refusal(name, cudaDriver.get()));
        }
        throw new IllegalArgumentException(
            "device '" + name + "': expected auto, cpu, reference or cuda:N (such as cuda:0)");
      }
    }
  }

  private static String withoutCuda(CudaDriver driver) {
    return driver.isAvailable()
        ? driver.devices().get(0).name() + " is there, but " + NO_CUDA_ENGINE
        : driver.unavailable();
  }

  private static String refusal(String name, CudaDriver driver) {
    int ordinal = Integer.parseInt(name.substring(CUDA.length()));
    String reason = withoutCuda(driver);
    if (driver.isAvailable() && ordinal >= driver.devices().size()) {
      reason = "the driver sees " + driver.devices().size() + " device(s), numbered from 0";
    }
    return reason + " (use cpu or auto)";
  }

  /** Opens the chosen device. */
  public HostDevice open() {
    return chosen.equals("reference") ? HostDevice.reference(options) : HostDevice.cpu(options);
  }
}
