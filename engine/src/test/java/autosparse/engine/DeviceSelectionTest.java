package autosparse.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.kernels.CudaDriver;
import autosparse.kernels.Gpu;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceSelectionTest {
  private static final HostDevice.Options OPTIONS = new HostDevice.Options(1 << 20, 1, false);
  private static final CudaDriver NONE =
      new CudaDriver(List.of(), "", "no NVIDIA driver (libcuda.so.1 not found)");
  private static final CudaDriver ONE =
      new CudaDriver(List.of(new Gpu(0, "NVIDIA H200", 9, 0, 132, 150_000_000_000L)), "12.6", "");

  private static String refused(String name, CudaDriver driver) {
    return assertThrows(
            IllegalArgumentException.class, () -> DeviceSelection.of(name, OPTIONS, () -> driver))
        .getMessage();
  }

  @Test
  void autoIsTheCpuAndSaysWhy() {
    DeviceSelection without = DeviceSelection.of("auto", OPTIONS, () -> NONE);
    assertEquals("cpu", without.chosen());
    assertEquals("no NVIDIA driver (libcuda.so.1 not found)", without.reason());
    DeviceSelection with = DeviceSelection.of("auto", OPTIONS, () -> ONE);
    assertEquals("cpu", with.chosen());
    assertEquals("NVIDIA H200 is there, but this build has no CUDA engine yet", with.reason());
  }

  @Test
  void hostDevicesOpenWithoutAskingTheDriver() {
    for (String name : List.of("cpu", "reference")) {
      DeviceSelection selection = DeviceSelection.of(name, OPTIONS, () -> fail());
      assertEquals("asked for", selection.reason());
      try (HostDevice device = selection.open()) {
        assertEquals(name, device.name());
      }
    }
  }

  private static CudaDriver fail() {
    throw new AssertionError("the driver was asked");
  }

  @Test
  void cudaIsRefusedInOneLine() {
    assertEquals(
        "device cuda:0: no NVIDIA driver (libcuda.so.1 not found) (use cpu or auto)",
        refused("cuda:0", NONE));
    assertEquals(
        "device cuda:0: NVIDIA H200 is there, but this build has no CUDA engine yet"
            + " (use cpu or auto)",
        refused("cuda:0", ONE));
    assertEquals(
        "device cuda:1: the driver sees 1 device(s), numbered from 0 (use cpu or auto)",
        refused("cuda:1", ONE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu", "", "cuda", "cuda:", "cuda:x", "CPU"})
  void unknownNamesListTheLegalOnes(String name) {
    assertEquals(
        "device '" + name + "': expected auto, cpu, reference or cuda:N (such as cuda:0)",
        refused(name, NONE));
  }
}
