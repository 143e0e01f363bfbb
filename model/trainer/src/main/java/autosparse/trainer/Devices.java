package autosparse.trainer;

import autosparse.engine.DeviceSelection;
import autosparse.engine.HostDevice;
import autosparse.schedule.InputException;
import autosparse.trainer.options.DeviceOptions;
import autosparse.trainer.options.Precision;

/** From the device options to a device. */
final class Devices {
  private Devices() {}

  /**
   * Chooses the device that was asked for.
   *
   * @throws InputException if there is none such, or it does not compute in that precision
   */
  static DeviceSelection select(DeviceOptions options) {
    HostDevice.Options settings = HostDevice.Options.defaults();
    if (options.memoryBudgetBytes() > 0) {
      settings = settings.withCapacity(options.memoryBudgetBytes());
    }
    if (options.threads() > 0) {
      settings = settings.withThreads(options.threads());
    }
    String name = options.device().equals("cuda") ? "cuda:0" : options.device();
    DeviceSelection selection;
    try {
      selection = DeviceSelection.of(name, settings);
    } catch (IllegalArgumentException e) {
      throw new InputException("--device: " + e.getMessage(), e);
    }
    if (options.precision() != Precision.AUTO && options.precision() != Precision.FP32) {
      throw new InputException(
          "--precision: "
              + options.precision()
              + ", expected auto or fp32: the "
              + selection.chosen()
              + " device computes in fp32");
    }
    return selection;
  }
}
