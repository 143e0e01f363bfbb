package autosparse.trainer;

import autosparse.engine.Device;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.SystemMemory;
import autosparse.kernels.HostLedger;
import autosparse.trainer.report.ReportData.HostRow;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
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
    long heap = heapPeak();
    rows.add(row("heap, as large as it grew", budget.heapBytes(), heap));
    long counted = heap;
    if (budget.tensors()) {
      long tensors = device.allocator().peakExtent();
      counted += tensors;
      rows.add(row("tensors", device.memory().capacity(), tensors));
    }
    long allowances = 0;
    Map<HostLedger.Kind, Long> peak = device.hostLedger().peak();
    for (Map.Entry<String, Long> outside : budget.outside().entrySet()) {
      OptionalLong booked =
          peak.entrySet().stream()
              .filter(entry -> entry.getKey().toString().equals(outside.getKey()))
              .mapToLong(Map.Entry::getValue)
              .findFirst();
      if (booked.isPresent()) {
        rows.add(row(outside.getKey(), outside.getValue(), booked.getAsLong()));
      } else {
        allowances += outside.getValue();
      }
    }
    for (long bytes : peak.values()) {
      counted += bytes;
    }
    SystemMemory system = SystemMemory.ofThisMachine();
    OptionalLong process = system.peakResidentBytes();
    if (process.isPresent()) {
      long rest = Math.max(0, process.getAsLong() - counted);
      rows.add(row("JVM and libraries, by difference", allowances, rest));
      rows.add(row("the process", budget.bytes(), process.getAsLong()));
    }
    return rows;
  }

  private static HostRow row(String what, long planned) {
    return new HostRow(what, planned, OptionalLong.empty());
  }

  private static HostRow row(String what, long planned, long measured) {
    return new HostRow(what, planned, OptionalLong.of(measured));
  }

  /** The most bytes that the heap's parts have had from the system, together. */
  private static long heapPeak() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .map(MemoryPoolMXBean::getPeakUsage)
        .mapToLong(usage -> usage.getCommitted())
        .sum();
  }
}
