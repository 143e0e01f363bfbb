package autosparse.trainer;

import autosparse.engine.Device;
import autosparse.engine.memory.HostBudget;
import autosparse.schedule.MatrixSize;
import autosparse.schedule.PatternMemory;
import autosparse.tuner.generate.GeneratedRows;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
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
   * and what planning counts coarser levels from, or two strips; ranges of those on disk; or what a
   * file is read through.
   */
  static final String AT_WORK = "matrices at work";

  /** Schedules as networks read them. */
  static final String TOKENS = "tokens";

  private static final int COPIES_AT_WORK = 2;

  /**
   * Of so many equal shares of what is left, patterns get one: they may be at work, all of them.
   */
  private static final int SHARES = 1 + COPIES_AT_WORK;

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
   * Adds to what is kept where one thing of a kind is there at a time: the largest counts.
   *
   * @throws autosparse.engine.memory.MemoryBudgetException as {@link #keep}
   */
  HostPlan keepOneOf(String what, long bytes) {
    return keep(what, Math.max(0, bytes - kept.getOrDefault(what, 0L)));
  }

  /**
   * Adds the matrices of some files that are not read yet, as far as they will be held; what does
   * not fit stays on disk.
   *
   * @param files in the order in which they will be opened
   * @param together how many of them a step works on
   * @param most bytes that patterns may take even where more is left
   * @return what to open them with
   * @throws autosparse.schedule.InputException when one does not fit and cannot stay on disk
   */
  PatternMemory keepMatrices(List<Path> files, int together, long most) {
    PatternMemory memory = patternMemory(most);
    List<MatrixSize> held = memory.plan(files);
    keepHeld(held, together, held.size() < files.size() ? memory.rangesBytes() : 0);
    return memory;
  }

  /**
   * Adds a matrix that is to be made, as far as it will be held.
   *
   * @param most bytes that it may take even where more is left
   * @return empty where it fits; else bytes of a range of its rows, which are then to be made each
   *     time they are read
   */
  OptionalLong keepMade(MatrixSize size, long most) {
    PatternMemory memory = patternMemory(most);
    if (memory.take(size)) {
      keepHeld(List.of(size), 1, 0);
      return OptionalLong.empty();
    }
    keep(MATRICES, GeneratedRows.hostBytes(size.rows()));
    keep(AT_WORK, memory.rangesBytes());
    return OptionalLong.of(memory.rangeBytes());
  }

  private PatternMemory patternMemory(long most) {
    long bytes = patternBytes();
    return most < bytes
        ? new PatternMemory(most)
        : new PatternMemory(bytes, enough -> budget.roomFor(keptBytes() + SHARES * enough));
  }

  private void keepHeld(List<MatrixSize> held, int together, long ranges) {
    long work =
        held.stream()
            .map(MatrixSize::patternBytes)
            .sorted(Comparator.reverseOrder())
            .limit(together)
            .mapToLong(bytes -> COPIES_AT_WORK * bytes)
            .sum();
    long reading = held.stream().mapToLong(MatrixSize::readingBytes).max().orElse(0);
    keep(MATRICES, held.stream().mapToLong(MatrixSize::patternBytes).sum());
    keep(AT_WORK, Math.max(work + ranges, reading));
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
  private long patternBytes() {
    return Math.max(0, budget.mostKept() - keptBytes()) / SHARES;
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
