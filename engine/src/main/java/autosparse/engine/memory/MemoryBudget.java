package autosparse.engine.memory;

import autosparse.kernels.DeviceAccounts;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a process may take of a device's memory in all, and what of it is not for tensors. A limit
 * that counted tensors alone would be passed by the driver's share, which on a GPU is some hundred
 * megabytes.
 *
 * @param bytes the limit
 * @param taken what the limit covers besides the range of tensors, in bytes, by its name
 * @param flag how the user names the limit
 */
public record MemoryBudget(long bytes, Map<String, Long> taken, String flag) {
  /** How the user names the limit of a device. */
  public static final String FLAG = "--memory-budget";

  /**
   * Device memory that is left to captured work: graphs are bound to it, see {@link #GRAPHS_BYTES}.
   */
  public static final String GRAPHS = "captured graphs";

  /** Bytes that captured graphs may take together; further pieces are queued launch by launch. */
  public static final long GRAPHS_BYTES = 32L << 20;

  /** What the driver loads or enlarges when a kernel is launched for the first time. */
  public static final String FIRST_LAUNCHES = "kernels' first launches";

  /**
   * Bytes left for {@link #FIRST_LAUNCHES}: library kernels are loaded when they are first used.
   */
  public static final long FIRST_LAUNCHES_BYTES = 64L << 20;

  /** Our own kernels' code and what the driver keeps for them. */
  public static final String MODULES = "modules";

  /** NVIDIA's library with its workspace. */
  public static final String CUBLAS = "cuBLAS";

  /** What the driver takes where no device is there to be asked, by purpose: an allowance. */
  private static final Map<String, Long> PLANNED =
      ordered(DeviceAccounts.CONTEXT, 640L << 20, MODULES, 96L << 20, CUBLAS, 96L << 20);

  /**
   * What a process took is the difference of what was free before and after, and other processes
   * that start meanwhile take from the same. Above so many times the allowance a difference is
   * theirs.
   */
  private static final long MOST_ALLOWANCES = 2;

  /** Least that a budget chosen by the machine leaves free, in bytes. */
  private static final long LEAST_MARGIN = 512L << 20;

  /** Share of the device's memory that a budget chosen by the machine leaves free. */
  private static final long MARGIN_SHARE = 16;

  public MemoryBudget {
    taken = Collections.unmodifiableMap(new LinkedHashMap<>(taken));
  }

  /** A limit of a device's memory. */
  public MemoryBudget(long bytes, Map<String, Long> taken) {
    this(bytes, taken, FLAG);
  }

  /** The same limit when so many more bytes are taken, for what the name says. */
  public MemoryBudget with(String name, long more) {
    Map<String, Long> all = new LinkedHashMap<>(taken);
    all.merge(name, more, Long::sum);
    return new MemoryBudget(bytes, all, flag);
  }

  private static Map<String, Long> ordered(
      String a, long aBytes, String b, long bBytes, String c, long cBytes) {
    Map<String, Long> map = new LinkedHashMap<>();
    map.put(a, aBytes);
    map.put(b, bBytes);
    map.put(c, cBytes);
    return map;
  }

  /** A budget that is all for tensors. */
  public static MemoryBudget ofTensors(long bytes) {
    return new MemoryBudget(bytes, Map.of());
  }

  /** A budget on a GPU that is planned for and not here, its driver's share by allowance. */
  public static MemoryBudget planned(long bytes) {
    return new MemoryBudget(bytes, withAllowances(PLANNED));
  }

  /**
   * The budget that a range for tensors of so many bytes asks for.
   *
   * @param taken what this process has taken already, by purpose; a difference that is too large to
   *     be this process' counts as the allowance
   */
  public static MemoryBudget around(long range, Map<String, Long> taken) {
    Map<String, Long> all = withAllowances(own(taken));
    return new MemoryBudget(range + sum(all), all);
  }

  /** What this process took of what became less free while it started. */
  private static Map<String, Long> own(Map<String, Long> taken) {
    Map<String, Long> own = new LinkedHashMap<>(taken);
    PLANNED.forEach(
        (purpose, allowance) ->
            own.computeIfPresent(
                purpose, (name, bytes) -> bytes > MOST_ALLOWANCES * allowance ? allowance : bytes));
    return own;
  }

  private static Map<String, Long> withAllowances(Map<String, Long> taken) {
    Map<String, Long> all = new LinkedHashMap<>(taken);
    all.put(GRAPHS, GRAPHS_BYTES);
    all.put(FIRST_LAUNCHES, FIRST_LAUNCHES_BYTES);
    return all;
  }

  /**
   * A budget on a GPU.
   *
   * @param device how messages call it
   * @param asked the limit; 0 for all that is free but a margin: 1/16 of the device's memory, at
   *     least 512 MiB
   * @param taken what this process has taken already, by purpose, as in {@link #around}
   * @param free bytes that no process has
   * @param total bytes of the device
   * @throws MemoryBudgetException when less is free, or when nothing would be left for tensors
   */
  public static MemoryBudget onGpu(
      String device, long asked, Map<String, Long> taken, long free, long total) {
    Map<String, Long> own = own(taken);
    Map<String, Long> all = withAllowances(own);
    long most = sum(own) + free;
    long margin = Math.max(LEAST_MARGIN, total / MARGIN_SHARE);
    long bytes = asked == 0 ? most - margin : asked;
    String range =
        String.format(
            "%s of %d bytes; this process can have %d, the rest is other processes' and the"
                + " driver's",
            device, total, most);
    if (bytes > most) {
      throw new MemoryBudgetException(
          FLAG + ": " + asked + " bytes, expected at most " + most + " (" + range + ")");
    }
    MemoryBudget budget = new MemoryBudget(bytes, all);
    if (budget.range() < RangeAllocator.ALIGNMENT) {
      throw new MemoryBudgetException(
          FLAG
              + ": "
              + (asked == 0
                  ? "auto leaves others " + margin + " bytes and is " + Math.max(0, bytes)
                  : asked)
              + " bytes, expected more than the "
              + budget.takenBytes()
              + " that are not for tensors: "
              + budget.takenText()
              + " ("
              + range
              + ")");
    }
    return budget;
  }

  private static long sum(Map<String, Long> map) {
    return map.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Bytes that are not for tensors. */
  public long takenBytes() {
    return sum(taken);
  }

  /** Bytes for tensors; below 0 when the rest alone is more than the limit. */
  public long range() {
    return bytes - takenBytes();
  }

  /** Size of the range that tensors are placed in: whole multiples of its alignment, 0 at least. */
  public long capacity() {
    return Math.max(0, range()) / RangeAllocator.ALIGNMENT * RangeAllocator.ALIGNMENT;
  }

  /** Limit that leaves so many bytes for tensors. */
  public long bytesFor(long range) {
    return range + takenBytes();
  }

  /** Such as {@code context 540016640, modules 33554432}, in bytes. */
  public String takenText() {
    return taken.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }
}
