package autosparse.engine.memory;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What this process may take of the machine's memory in all: the Java heap, what it takes outside
 * of it, and tensors where the device is the CPU.
 *
 * <p>What is kept on the heap is counted by the classes that keep it. Garbage is not: a heap may
 * grow up to {@code -Xmx} whatever is live, so a budget that was asked for has room for all of it.
 * One chosen by the machine does not refuse a heap that could grow beyond it and will not.
 *
 * @param bytes the limit
 * @param asked whether the user named it; else it is what the machine has for this process
 * @param tensors whether tensors are host memory too
 * @param heapLimit bytes that the heap may grow to, {@code -Xmx}
 * @param heapNeed bytes of heap that are known to be needed so far
 * @param outside what is taken outside the heap besides tensors, in bytes by what it is for
 */
public record HostBudget(
    long bytes,
    boolean asked,
    boolean tensors,
    long heapLimit,
    long heapNeed,
    Map<String, Long> outside) {
  /** How the user names a limit. */
  public static final String FLAG = "--host-memory-budget";

  /** What {@link #tensorBudget} calls the heap's share. */
  public static final String HEAP = "Java heap";

  /** What {@link #outside} calls the virtual machine's own memory. */
  public static final String JVM = "JVM";

  /**
   * Allowance for the virtual machine itself: classes, compiled code, threads' stacks, the
   * libraries' code and the collector's tables, which grow with the heap.
   */
  private static final long JVM_BYTES = 192L << 20;

  /** The collector's tables are this share of the heap, at the most. */
  private static final long COLLECTOR_SHARE = 16;

  /** The heap that the program itself takes, whatever it works on. */
  private static final long PROGRAM_BYTES = 24L << 20;

  /** What is kept needs this share of it besides, for what comes and goes, or it is collected. */
  private static final long COLLECTION_SHARE = 4;

  public HostBudget {
    outside = Collections.unmodifiableMap(new LinkedHashMap<>(outside));
  }

  /**
   * The budget of this process on this machine.
   *
   * @param asked the limit in bytes; 0 for what the machine has for this process
   * @param tensors whether tensors are host memory
   * @param besides what the device takes outside the heap besides tensors and the virtual machine,
   *     in bytes by what it is for
   * @throws MemoryBudgetException when the machine has less, or when heap and rest are more
   */
  public static HostBudget of(long asked, boolean tensors, Map<String, Long> besides) {
    return of(
        asked,
        tensors,
        besides,
        SystemMemory.ofThisMachine().mostBytes(),
        Runtime.getRuntime().maxMemory());
  }

  static HostBudget of(
      long asked, boolean tensors, Map<String, Long> besides, long most, long heapLimit) {
    if (asked > most) {
      throw new MemoryBudgetException(
          FLAG
              + ": "
              + asked
              + " bytes, expected at most "
              + most
              + ", which this process can have of the machine's memory; the rest is other"
              + " processes', or beyond its control group's limit");
    }
    Map<String, Long> outside = new LinkedHashMap<>();
    outside.put(JVM, JVM_BYTES + heapLimit / COLLECTOR_SHARE);
    outside.putAll(besides);
    HostBudget budget =
        new HostBudget(asked == 0 ? most : asked, asked > 0, tensors, heapLimit, 0, outside);
    long least = heapLimit + budget.outsideBytes();
    if (asked > 0 && asked < least) {
      throw new MemoryBudgetException(
          FLAG
              + ": "
              + asked
              + " bytes, expected at least "
              + least
              + ": the Java heap may grow to "
              + heapLimit
              + " (java -Xmx), outside of it: "
              + budget.outsideText());
    }
    return budget;
  }

  /** The same when so many bytes of heap are known to be needed. */
  HostBudget withHeapNeed(long need) {
    return new HostBudget(bytes, asked, tensors, heapLimit, need, outside);
  }

  /**
   * Heap that what is kept needs, in bytes: an estimate, since what comes and goes is not counted.
   *
   * @param kept bytes that are live at once
   */
  public static long heapFor(long kept) {
    return PROGRAM_BYTES + kept + kept / COLLECTION_SHARE;
  }

  /** Bytes that may be kept on a heap of some size: what {@link #heapFor} is the opposite of. */
  private static long keptIn(long heap) {
    long most = Math.max(0, heap - PROGRAM_BYTES);
    return most - (most + 1) / (COLLECTION_SHARE + 1);
  }

  /** Bytes outside the heap, tensors not counted. */
  public long outsideBytes() {
    return outside.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Such as {@code JVM 540016640, scratch 16777216}, in bytes. */
  public String outsideText() {
    return outside.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  /**
   * Bytes of this budget that are the heap's: all that it may grow to, where the user named the
   * budget. Else half of what is left where tensors share it, unless more is known to be needed.
   */
  public long heapBytes() {
    if (asked) {
      return heapLimit;
    }
    long left = Math.max(0, bytes - outsideBytes());
    return Math.min(heapLimit, tensors ? Math.max(left / 2, Math.min(left, heapNeed)) : left);
  }

  /** Whether the heap may grow beyond what this budget has for it. */
  public boolean heapMayExceed() {
    return heapLimit > Math.max(0, bytes - outsideBytes());
  }

  /** Bytes that may be kept on the heap, what comes and goes left aside. */
  public long mostKept() {
    return keptIn(Math.min(heapLimit, Math.max(0, bytes - outsideBytes())));
  }

  /**
   * What tensors may take where they are host memory, as a budget of the CPU device.
   *
   * @throws MemoryBudgetException when nothing is left
   */
  public MemoryBudget tensorBudget() {
    Map<String, Long> taken = new LinkedHashMap<>();
    taken.put(HEAP, heapBytes());
    taken.putAll(outside);
    MemoryBudget budget = new MemoryBudget(bytes, taken, FLAG);
    if (budget.range() < RangeAllocator.ALIGNMENT) {
      throw new MemoryBudgetException(
          FLAG
              + ": "
              + bytes
              + " bytes, expected more than the "
              + budget.takenBytes()
              + " that are not for tensors: "
              + budget.takenText()
              + "; java -Xmx bounds the heap");
    }
    return budget;
  }

  /**
   * Checks that what is to be kept on the heap fits it, and the heap this budget.
   *
   * @param what such as {@code the matrices take 1000 bytes}, for the message
   * @param kept bytes that are live at once
   * @return this budget with what is known to be needed
   * @throws MemoryBudgetException when it does not, with the least that would do and the flag to
   *     change
   */
  public HostBudget keeping(String what, long kept) {
    long need = heapFor(kept);
    if (need > Math.max(0, bytes - outsideBytes())) {
      throw new MemoryBudgetException(
          FLAG
              + ": "
              + what
              + ", a Java heap of "
              + need
              + " bytes with what comes and goes, and outside of it: "
              + outsideText()
              + "; "
              + (asked ? "the budget is " : "this process can have ")
              + bytes
              + ": "
              + roomFor(kept));
    }
    if (need > heapLimit) {
      throw new MemoryBudgetException(
          "-Xmx: "
              + what
              + ", a Java heap of "
              + need
              + " bytes with what comes and goes; it may grow to "
              + heapLimit
              + ": "
              + roomFor(kept));
    }
    return withHeapNeed(Math.max(heapNeed, need));
  }

  /**
   * What the user can change so that more fits.
   *
   * @param kept bytes of heap that are live at once: more than {@link #mostKept}
   */
  public String roomFor(long kept) {
    long need = heapFor(kept);
    if (need <= Math.max(0, bytes - outsideBytes())) {
      return "start with java -Xmx" + megabytes(need) + "m or more";
    }
    return (asked ? "raise " + FLAG : "free memory")
        + " to "
        + (need + outsideBytes())
        + " or more"
        + (need > heapLimit ? ", and the heap to java -Xmx" + megabytes(need) + "m" : "");
  }

  private static long megabytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }
}
