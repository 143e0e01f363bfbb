package autosparse.trainer;

import autosparse.engine.DeviceSelection;
import autosparse.engine.memory.MemoryBudgetException;
import autosparse.schedule.InputException;
import autosparse.trainer.options.DeviceOptions;

/** From the device options to a device. */
final class Devices {
  private Devices() {}

  /**
   * Chooses the device that was asked for.
   *
   * @throws InputException if there is none such, or it does not compute in that precision or with
   *     that many threads
   * @throws MemoryBudgetException if the host has not as much memory as is asked for
   */
  static DeviceSelection select(DeviceOptions options) {
    DeviceSelection selection;
    try {
      selection =
          DeviceSelection.of(
              options.device(),
              new DeviceSelection.Options(
                  options.memoryBudgetBytes(), options.threads(), options.hostMemoryBudgetBytes()));
    } catch (MemoryBudgetException e) {
      throw e; // names its option itself
    } catch (IllegalArgumentException e) {
      throw new InputException("--device: " + e.getMessage(), e);
    }
    if (options.precision().precision().isPresent()) {
      try {
        selection = selection.withPrecision(options.precision().precision().get());
      } catch (IllegalArgumentException e) {
        throw new InputException(
            "--precision: " + options.precision() + ", expected auto or fp32: " + e.getMessage(),
            e);
      }
    }
    if (selection.isCuda() && options.threads() > 0) {
      throw new InputException(
          "--threads: "
              + options.threads()
              + ", expected 0: "
              + selection.chosen()
              + " has no threads to choose (--device cpu)");
    }
    return selection;
  }
}
