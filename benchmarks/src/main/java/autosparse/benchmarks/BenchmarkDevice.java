package autosparse.benchmarks;

import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.Precision;
import autosparse.engine.TensorScope;
import autosparse.schedule.InputException;

/** The device that a benchmark runs on, with its stopwatch and its ceilings. */
final class BenchmarkDevice implements AutoCloseable {
  private final Device device;
  private final int threads;
  private final TensorScope scope;
  private final Stopwatch stopwatch;
  private Ceilings ceilings;
  private final long baseline;

  private BenchmarkDevice(Device device, int threads) {
    this.device = device;
    this.threads = threads;
    this.scope = device.root().child("benchmark");
    this.stopwatch =
        device instanceof CudaDevice cuda ? new CudaStopwatch(cuda, scope) : new HostStopwatch();
    measureCeilings();
    baseline = device.ledger().liveBytes();
  }

  /**
   * Chooses a device.
   *
   * @param name as {@link DeviceSelection#of} takes it
   * @param precision {@code fp32}, {@code tf32}, {@code bf16}, or {@code auto} for the device's own
   * @param threads worker threads of the CPU engine; 0 for all cores
   * @throws IllegalArgumentException when there is no such device, or not with this precision, with
   *     the reason
   */
  static DeviceSelection select(String name, String precision, int threads) {
    DeviceSelection selection = DeviceSelection.of(name, new DeviceSelection.Options(0, threads));
    if (precision.equals("auto")) {
      return selection;
    }
    for (Precision format : Precision.values()) {
      if (format.toString().equals(precision)) {
        return selection.withPrecision(format);
      }
    }
    throw new InputException("precision " + precision + ", expected auto, fp32, tf32 or bf16");
  }

  /**
   * Opens a device and says which, and what it reaches.
   *
   * @throws IllegalArgumentException as {@link #select}
   */
  static BenchmarkDevice open(String name, String precision, int threads) {
    DeviceSelection selection = select(name, precision, threads);
    BenchmarkDevice opened = measured(selection.open(), threads);
    System.out.printf(
        "%ndevice %s: %s (%s), %s; %s%n",
        name, selection.chosen(), selection.reason(), opened.device.facts(), opened.ceilings);
    return opened;
  }

  private static BenchmarkDevice measured(Device device, int threads) {
    try {
      return new BenchmarkDevice(device, threads);
    } catch (RuntimeException e) {
      abandon(device, e);
      throw e;
    }
  }

  /** Measures the ceilings anew: on a processor other work comes and goes. */
  void measureCeilings() {
    ceilings =
        device instanceof CudaDevice
            ? CudaCeilings.measure(device, device.activation(), stopwatch)
            : HostCeilings.measure(threads);
  }

  Device device() {
    return device;
  }

  boolean isCuda() {
    return device instanceof CudaDevice;
  }

  /** Where a workload's tensors go. */
  TensorScope scope() {
    return scope;
  }

  Ceilings ceilings() {
    return ceilings;
  }

  Stopwatch.Timing time(Runnable work) {
    return stopwatch.time(work);
  }

  /** Forgets the peak of what went before, such as the ceilings' own. */
  void resetPeak() {
    device.ledger().resetPeak();
  }

  /** Most bytes that tensors held since {@link #resetPeak}, the stopwatch's own not counted. */
  long peakBytes() {
    return device.ledger().peakBytes() - baseline;
  }

  /** Gives the device back after a failure, which another one in doing so does not hide. */
  void abandon(RuntimeException failure) {
    abandon(device, failure);
  }

  private static void abandon(Device device, RuntimeException failure) {
    try {
      device.close();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    scope.close();
    device.close();
  }
}
