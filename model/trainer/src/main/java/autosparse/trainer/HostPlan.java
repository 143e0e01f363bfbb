package autosparse.trainer;

import autosparse.engine.Device;
import autosparse.engine.memory.HostBudget;
import autosparse.schedule.MatrixSize;
import java.lang.management.ManagementFactory;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a command keeps on the Java heap, by what it is: counted, and held against the host's budget
 * before it is made.
 */
final class HostPlan {
  /** Schedules with their measurements. */
  static final String SCHEDULES = "schedules";

  /** Patterns of matrices. */
  static final String MATRICES = "matrices";

  /**
   * What a step on some matrices holds of their patterns besides: the copy that goes to the device,
   * and what planning counts coarser levels from, or two strips, or what a file is read through.
   */
  static final String AT_WORK = "matrices at work";

  /** Schedules as networks read them. */
  static final String TOKENS = "tokens";

  private static final int COPIES_AT_WORK = 2;

  private final Map<String, Long> kept = new LinkedHashMap<>();
  private HostBudget budget;

  HostPlan(HostBudget budget) {
    this.budget = budget;
  }

  /**
   * Adds to what is kept.
   *
   * @throws autosparse.engine.memory.MemoryBudgetException when that does not fit, with the bytes
   *     that would do and the flag to change
   */
  HostPlan keep(String what, long bytes) {
    kept.merge(what, bytes, Long::sum);
    budget = budget.keeping(text() + " bytes are kept", keptBytes());
    return this;
  }

  /**
   * Adds matrices that are not read yet.
   *
   * @param together how many of them a step works on
   */
  HostPlan keepMatrices(List<MatrixSize> sizes, int together) {
    long work =
        sizes.stream()
            .map(MatrixSize::patternBytes)
            .sorted(Comparator.reverseOrder())
            .limit(together)
            .mapToLong(bytes -> COPIES_AT_WORK * bytes)
            .sum();
    long reading = sizes.stream().mapToLong(MatrixSize::readingBytes).max().orElse(0);
    keep(MATRICES, sizes.stream().mapToLong(MatrixSize::patternBytes).sum());
    return keep(AT_WORK, Math.max(work, reading));
  }

  /** The budget with what is known by now to be needed of the heap. */
  HostBudget budget() {
    return budget;
  }

  /** Bytes of heap by what they are kept for. */
  Map<String, Long> kept() {
    return new LinkedHashMap<>(kept);
  }

  /** Bytes that patterns of matrices may still take of the heap beside what is kept. */
  long patternBytes() {
    return Math.max(0, budget.mostKept() - keptBytes());
  }

  long keptBytes() {
    return kept.values().stream().mapToLong(Long::longValue).sum();
  }

  private String text() {
    return kept.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  /** Says what the budget is made of; warns of a heap that could grow beyond it. */
  void describe(Main main, Device device) {
    main.print(
        String.format(
            "host memory budget %d bytes: %s %d, %s%s; on the heap are kept %s",
            budget.bytes(),
            HostBudget.HEAP,
            budget.heapBytes(),
            budget.outsideText(),
            budget.tensors() ? ", for tensors " + device.memory().capacity() : "",
            text()));
    if (budget.heapMayExceed()) {
      main.warn(
          String.format(
              "the Java heap may grow to %d bytes, this process can have %d of the machine's"
                  + " memory in all: java -Xmx%dm keeps it within",
              budget.heapLimit(), budget.bytes(), budget.heapBytes() >> 20));
    }
  }

  /** Bytes that are live on the heap now: collects what is not. */
  static long liveHeapBytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
