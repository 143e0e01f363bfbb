package autosparse.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.kernels.CudaDriver;
import autosparse.kernels.Gpu;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceSelectionTest {
  private static final DeviceSelection.Options OPTIONS = new DeviceSelection.Options(1 << 20, 1);
  private static final CudaDriver NONE =
      new CudaDriver(List.of(), "", "no NVIDIA driver (libcuda.so.1 not found)");
  private static final Gpu OLD = new Gpu(0, "Tesla V100", 7, 0, 80, 16_000_000_000L);
  private static final Gpu NEW = new Gpu(1, "NVIDIA H200", 9, 0, 132, 150_000_000_000L);
  private static final CudaDriver BOTH = new CudaDriver(List.of(OLD, NEW), "12.6", "");

  private static String refused(String name, CudaDriver driver) {
    return assertThrows(
            IllegalArgumentException.class, () -> DeviceSelection.of(name, OPTIONS, () -> driver))
        .getMessage();
  }

  @Test
  void autoTakesTheFirstGpuThatOurKernelsRunOn() {
    DeviceSelection selection = DeviceSelection.of("auto", OPTIONS, () -> BOTH);
    assertEquals("cuda:1", selection.chosen());
    assertEquals("NVIDIA H200", selection.reason());
    assertTrue(selection.isCuda());
  }

  @Test
  void autoIsTheCpuOtherwiseAndSaysWhy() {
    DeviceSelection without = DeviceSelection.of("auto", OPTIONS, () -> NONE);
    assertEquals("cpu", without.chosen());
    assertEquals("no NVIDIA driver (libcuda.so.1 not found)", without.reason());
    assertFalse(without.isCuda());
    CudaDriver old = new CudaDriver(List.of(OLD), "12.6", "");
    DeviceSelection tooOld = DeviceSelection.of("auto", OPTIONS, () -> old);
    assertEquals("cpu", tooOld.chosen());
    assertEquals(
        "Tesla V100 has compute capability 7.0, the kernels need 7.5 or newer", tooOld.reason());
  }

  @Test
  void hostDevicesOpenWithoutAskingTheDriver() {
    for (String name : List.of("cpu", "reference")) {
      DeviceSelection selection = DeviceSelection.of(name, OPTIONS, () -> fail());
      assertEquals("asked for", selection.reason());
      try (Device device = selection.open()) {
        assertEquals(name, device.name());
        assertEquals(1 << 20, device.memory().capacity());
      }
    }
  }

  @Test
  void aHostDeviceComputesInSinglePrecisionAlone() {
    DeviceSelection cpu = DeviceSelection.of("cpu", OPTIONS, () -> fail());
    assertEquals(Precision.FP32, cpu.precision());
    assertEquals(cpu, cpu.withPrecision(Precision.FP32));
    for (Precision precision : List.of(Precision.TF32, Precision.BF16)) {
      assertEquals(
          "the cpu device computes in fp32",
          assertThrows(IllegalArgumentException.class, () -> cpu.withPrecision(precision))
              .getMessage());
    }
  }

  @Test
  void aGpuComputesInTheFastestThatItHasOrInWhatIsAskedFor() {
    DeviceSelection hopper = DeviceSelection.of("auto", OPTIONS, () -> BOTH);
    assertEquals(Precision.BF16, hopper.precision());
    for (Precision precision : Precision.values()) {
      assertEquals(precision, hopper.withPrecision(precision).precision());
    }
    Gpu turing = new Gpu(0, "Tesla T4", 7, 5, 40, 1L << 34);
    CudaDriver driver = new CudaDriver(List.of(turing), "12.6", "");
    DeviceSelection old = DeviceSelection.of("auto", OPTIONS, () -> driver);
    assertEquals("cuda:0", old.chosen());
    assertEquals(Precision.FP32, old.precision());
    assertEquals(
        "tf32 needs compute capability 8.0: Tesla T4 has 7.5",
        assertThrows(IllegalArgumentException.class, () -> old.withPrecision(Precision.TF32))
            .getMessage());
    assertEquals(
        "bf16 needs compute capability 8.0: Tesla T4 has 7.5",
        assertThrows(IllegalArgumentException.class, () -> Precision.BF16.requireOn(turing))
            .getMessage());
  }

  private static CudaDriver fail() {
    throw new AssertionError("the driver was asked");
  }

  @Test
  void aGpuIsChosenByItsNumber() {
    assertEquals("cuda:1", DeviceSelection.of("cuda:1", OPTIONS, () -> BOTH).chosen());
    CudaDriver one = new CudaDriver(List.of(new Gpu(0, "A100", 8, 0, 108, 1L << 36)), "12.6", "");
    assertEquals("cuda:0", DeviceSelection.of("cuda", OPTIONS, () -> one).chosen());
  }

  @Test
  void cudaIsRefusedInOneLine() {
    for (String name : List.of("cuda", "cuda:0")) {
      assertEquals(
          "device cuda:0: no NVIDIA driver (libcuda.so.1 not found) (use cpu or auto)",
          refused(name, NONE));
    }
    assertEquals(
        "device cuda:0: Tesla V100 has compute capability 7.0, the kernels need 7.5 or newer"
            + " (use cpu or auto)",
        refused("cuda:0", BOTH));
    assertEquals(
        "device cuda:7: the driver sees 2 device(s), numbered from 0 (use cpu or auto)",
        refused("cuda:7", BOTH));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "CPU"})
  void unknownNamesListTheLegalOnes(String name) {
    assertEquals(
        "device '" + name + "': expected auto, cpu, reference, cuda or cuda:N",
        refused(name, NONE));
  }
}
