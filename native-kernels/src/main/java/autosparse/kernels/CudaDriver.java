package autosparse.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the NVIDIA driver of this machine offers.
 *
 * @param devices usable devices in the driver's order; empty when there is none
 * @param version highest CUDA version that the driver supports, such as 12.6; empty without driver
 * @param unavailable why there is no device, in one line; empty when there is one
 */
public record CudaDriver(List<Gpu> devices, String version, String unavailable) {
  public CudaDriver {
    devices = List.copyOf(devices);
  }

  public boolean isAvailable() {
    return !devices.isEmpty();
  }

  /**
   * Asks the driver. JCuda's native library is not touched on a machine without libcuda.so.1, whose
   * absence it would report with a page of traces.
   */
  public static CudaDriver probe() {
    return probe(DriverLibrary.find(), JCudaCalls::start);
  }

  static CudaDriver probe(Optional<String> library, Supplier<Driver> start) {
    if (library.isEmpty()) {
      return none("", "no NVIDIA driver (libcuda.so.1 not found)");
    }
    try {
      return ask(start.get());
    } catch (DriverFailure e) {
      return none("", "the NVIDIA driver (" + library.get() + ") failed: " + firstLine(e));
    } catch (NativeCacheException e) {
      return none("", e.getMessage());
    } catch (LinkageError e) {
      return none("", "JCuda cannot use " + library.get() + ": " + firstLine(e));
    }
  }

  private static CudaDriver ask(Driver driver) {
    int version = driver.version();
    if (version < Driver.LOWEST_VERSION) {
      return none(
          text(version),
          "the NVIDIA driver supports CUDA "
              + text(version)
              + " at most; "
              + text(Driver.LOWEST_VERSION)
              + " or newer is needed (driver 525 or newer)");
    }
    List<Gpu> devices = new ArrayList<>();
    int count = driver.deviceCount();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      devices.add(driver.describe(ordinal));
    }
    return devices.isEmpty()
        ? none(text(version), "the NVIDIA driver sees no device")
        : new CudaDriver(devices, text(version), "");
  }

  /** Such as 12.6 for 12060. */
  static String text(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  private static CudaDriver none(String version, String reason) {
    return new CudaDriver(List.of(), version, reason);
  }

  /** An error's first line; the rest is native loaders' advice. */
  static String firstLine(Throwable error) {
    Throwable cause = error;
    while (cause.getMessage() == null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage()).strip().split("\\R", 2)[0];
  }
}
