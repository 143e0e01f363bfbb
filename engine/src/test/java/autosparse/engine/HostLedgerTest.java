package autosparse.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.cpu.CpuOperators;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.MemoryBudgetException;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.OutOfDeviceMemoryException;
import autosparse.kernels.HostLedger;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the CPU engine takes of the host is what a selection says before it is opened. */
class HostLedgerTest {
  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {1, 3})
  void scratchIsPlannedToTheByte(int threads) {
    DeviceSelection selection =
        DeviceSelection.of("cpu", new DeviceSelection.Options(1 << 24, threads));
    long planned = selection.host().outside().get(HostLedger.Kind.SCRATCH.toString());
    assertEquals(threads * CpuOperators.SCRATCH_BYTES, planned);
    HostLedger ledger;
    try (Device device = selection.open()) {
      ledger = device.hostLedger();
      Tensor a = device.root().real("a", MemoryTag.INPUT, 64, 4096);
      Tensor c = device.root().real("c", MemoryTag.INPUT, 64, 64);
      device.operators().elementwise().fill(a, 1);
      for (int round = 0; round < 100; round++) {
        device.operators().gemm().gemm(false, a, true, a, 1, 0, c);
      }
      assertEquals(4096, c.toFloats()[7]);
      assertEquals(Map.of(HostLedger.Kind.SCRATCH, planned), ledger.peak());
      assertEquals(planned, ledger.liveBytes());
    }
    assertEquals(0, ledger.liveBytes());
  }

  private static String fullMessage(DeviceSelection selection) {
    try (Device device = selection.open()) {
      long more = device.memory().capacity() / Float.BYTES + 1;
      return assertThrows(
              OutOfDeviceMemoryException.class,
              () -> device.root().real("x", MemoryTag.INPUT, more))
          .getMessage();
    }
  }

  /** What bounds tensors on the CPU is the host's budget, unless theirs is named too. */
  @Test
  void aFullRangeNamesTheFlagOfItsBudget() {
    String host = fullMessage(DeviceSelection.of("cpu", new DeviceSelection.Options(0, 1)));
    assertTrue(host.contains("(raise --host-memory-budget, or"), host);
    String own = fullMessage(DeviceSelection.of("cpu", new DeviceSelection.Options(1 << 20, 1)));
    assertTrue(own.contains("(raise --memory-budget, or"), own);
  }

  @Test
  void tensorsOnTheCpuGetWhatTheHostsBudgetLeaves() {
    DeviceSelection auto = DeviceSelection.of("cpu", new DeviceSelection.Options(0, 1));
    try (Device device = auto.open()) {
      assertEquals(HostBudget.FLAG, device.budget().flag());
      assertEquals(auto.host().tensorBudget().capacity(), device.allocator().capacity());
    }
    long least =
        auto.host().outsideBytes() + Runtime.getRuntime().maxMemory(); // the heap's limit is in it
    DeviceSelection asked =
        DeviceSelection.of("cpu", new DeviceSelection.Options(0, 1, least + (1 << 20)));
    try (Device device = asked.open()) {
      assertEquals(1 << 20, device.allocator().capacity());
    }
    DeviceSelection both =
        DeviceSelection.of("cpu", new DeviceSelection.Options((1 << 20) + 1, 1, least + (1 << 20)));
    String message = assertThrows(MemoryBudgetException.class, both::open).getMessage();
    assertTrue(
        message.startsWith("--memory-budget: 1048577 bytes, expected at most 1048576: "), message);
    assertThrows(
        MemoryBudgetException.class,
        () -> DeviceSelection.of("cpu", new DeviceSelection.Options(0, 1, least - 1)));
  }
}
