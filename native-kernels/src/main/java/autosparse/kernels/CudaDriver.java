package autosparse.kernels;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.CudaException;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * What the NVIDIA driver of this machine offers.
 *
 * @param devices usable devices in the driver's order; empty when there is none
 * @param version highest CUDA version that the driver supports, such as 12.6; empty without driver
 * @param unavailable why there is no device, in one line; empty when there is one
 */
public record CudaDriver(List<Gpu> devices, String version, String unavailable) {
  /**
   * One device.
   *
   * @param ordinal its number for the driver: N of {@code cuda:N}
   * @param totalBytes its memory
   */
  public record Gpu(int ordinal, String name, int major, int minor, long totalBytes) {
    /** Such as {@code 9.0}. */
    public String computeCapability() {
      return major + "." + minor;
    }
  }

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
    return probe(DriverLibrary.find());
  }

  static CudaDriver probe(Optional<String> library) {
    if (library.isEmpty()) {
      return none("", "no NVIDIA driver (libcuda.so.1 not found)");
    }
    try {
      return ask();
    } catch (CudaException e) {
      return none("", "the NVIDIA driver (" + library.get() + ") failed: " + firstLine(e));
    } catch (LinkageError e) {
      return none("", "JCuda cannot use " + library.get() + ": " + firstLine(e));
    }
  }

  private static CudaDriver ask() {
    JCudaDriver.setExceptionsEnabled(true);
    JCudaDriver.cuInit(0);
    int[] version = new int[1];
    JCudaDriver.cuDriverGetVersion(version);
    String versionText = version[0] / 1000 + "." + version[0] % 1000 / 10;
    int[] count = new int[1];
    JCudaDriver.cuDeviceGetCount(count);
    List<Gpu> devices = new ArrayList<>();
    for (int ordinal = 0; ordinal < count[0]; ordinal++) {
      devices.add(describe(ordinal));
    }
    return devices.isEmpty()
        ? none(versionText, "the NVIDIA driver sees no device")
        : new CudaDriver(devices, versionText, "");
  }

  private static Gpu describe(int ordinal) {
    CUdevice device = new CUdevice();
    JCudaDriver.cuDeviceGet(device, ordinal);
    byte[] name = new byte[256];
    JCudaDriver.cuDeviceGetName(name, name.length, device);
    long[] bytes = new long[1];
    JCudaDriver.cuDeviceTotalMem(bytes, device);
    return new Gpu(
        ordinal,
        text(name),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device),
        bytes[0]);
  }

  private static int attribute(int attribute, CUdevice device) {
    int[] value = new int[1];
    JCudaDriver.cuDeviceGetAttribute(value, attribute, device);
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
