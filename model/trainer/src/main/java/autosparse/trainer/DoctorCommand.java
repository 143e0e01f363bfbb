package autosparse.trainer;

import autosparse.engine.DeviceSelection;
import autosparse.trainer.doctor.Doctor;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code doctor}: what this machine has and how fast it is. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description =
        "Show what this machine offers: processor, memory, libraries, GPU, measured rates.")
final class DoctorCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Mixin private DeviceArguments device;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "../shared/data",
      description = {
        "Folder with records/ and matrices/ to look for",
        "(default: ${DEFAULT-VALUE})."
      })
  private Path data;

  @Override
  public Integer call() {
    DeviceSelection selection = Devices.select(device.toOptions());
    Doctor.examine(selection, data).forEach(line -> main.print(line.toString()));
    return 0;
  }
}
