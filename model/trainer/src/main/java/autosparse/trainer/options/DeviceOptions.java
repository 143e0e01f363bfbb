package autosparse.trainer.options;

import java.util.regex.Pattern;

/**
 * What to compute on.
 *
 * @param device {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param memoryBudgetBytes most memory to take of the device; 0 to choose by the machine
 * @param threads of the CPU engine; 0 for all cores
 * @param hostMemoryBudgetBytes most memory to take of the host in all; 0 for what it has
 */
public record DeviceOptions(
    String device,
    PrecisionChoice precision,
    long memoryBudgetBytes,
    int threads,
    long hostMemoryBudgetBytes) {
  private static final Pattern DEVICE = Pattern.compile("auto|cpu|cuda(:\\d{1,3})?");

  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public DeviceOptions {
    Require.that(DEVICE.matcher(device).matches(), "--device", device, "auto, cpu, cuda or cuda:N");
    Require.that(memoryBudgetBytes >= 0, "--memory-budget", memoryBudgetBytes, "bytes from 0 up");
    Require.that(
        hostMemoryBudgetBytes >= 0,
        "--host-memory-budget",
        hostMemoryBudgetBytes,
        "bytes from 0 up");
    Require.that(
        threads >= 0 && threads <= 4096, "--threads", threads, "0 (all cores) or their number");
  }
}
