package autosparse.trainer;

import autosparse.trainer.Converters.ByteSize;
import autosparse.trainer.Converters.ByteSizeConverter;
import autosparse.trainer.options.DeviceOptions;
import autosparse.trainer.options.PrecisionChoice;
import picocli.CommandLine.Option;

/** The options that say what to compute on. */
final class DeviceArguments {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--precision",
      paramLabel = "FORMAT",
      defaultValue = "auto",
      description = {
        "${COMPLETION-CANDIDATES}; auto (default) is bf16 on a GPU that",
        "has it (compute capability 8.0), else fp32."
      })
  private PrecisionChoice precision;

  @Option(
      names = "--memory-budget",
      paramLabel = "SIZE",
      defaultValue = "auto",
      converter = ByteSizeConverter.class,
      description = {
        "Most memory to take of the device, e.g. 4g; on a GPU the driver's",
        "share is in it. auto (default): on a GPU what is free but a margin."
      })
  private ByteSize memoryBudget;

  @Option(
      names = "--host-memory-budget",
      paramLabel = "SIZE",
      defaultValue = "auto",
      converter = ByteSizeConverter.class,
      description = {
        "Most memory to take of the host in all, the Java heap (java -Xmx)",
        "in it. auto (default): what the machine, or the control group, has."
      })
  private ByteSize hostMemoryBudget;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads of the CPU engine; 0 (default) is all cores.")
  private int threads;

  DeviceOptions toOptions() {
    return new DeviceOptions(
        device, precision, memoryBudget.bytes(), threads, hostMemoryBudget.bytes());
  }
}
