package autosparse.trainer;

import autosparse.engine.Device;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.SystemMemory;
import autosparse.kernels.HostLedger;
import autosparse.trainer.report.ReportData.HostRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Host memory of this process by what it is for: what was planned beside what was measured. */
final class HostUse {
  private HostUse() {}

  /**
   * A row each.
   *
   * @param liveHeap bytes that were live on the heap when everything was loaded
   */
  static List<HostRow> of(HostPlan plan, Device device, long liveHeap) {
    HostBudget budget = plan.budget();
    List<HostRow> rows = new ArrayList<>();
    plan.kept().forEach((what, bytes) -> rows.add(row("heap: " + what, bytes)));
    rows.add(row("heap, live when loaded", HostBudget.heapFor(plan.keptBytes()), liveHeap));
    rows.add(
        row("heap, as large as it became", budget.heapBytes(), Runtime.getRuntime().totalMemory()));
    if (budget.tensors()) {
      rows.add(row("tensors", device.memory().capacity(), device.allocator().peakExtent()));
    }
    Map<HostLedger.Kind, Long> peak = device.hostLedger().peak();
    for (Map.Entry<String, Long> outside : budget.outside().entrySet()) {
      OptionalLong booked =
          peak.entrySet().stream()
              .filter(entry -> entry.getKey().toString().equals(outside.getKey()))
              .mapToLong(Map.Entry::getValue)
              .findFirst();
      rows.add(new HostRow(outside.getKey(), outside.getValue(), booked));
    }
    rows.add(
        new HostRow(
            "the process", budget.bytes(), SystemMemory.ofThisMachine().peakResidentBytes()));
    return rows;
  }

  private static HostRow row(String what, long planned) {
    return new HostRow(what, planned, OptionalLong.empty());
  }

  private static HostRow row(String what, long planned, long measured) {
    return new HostRow(what, planned, OptionalLong.of(measured));
  }
}
