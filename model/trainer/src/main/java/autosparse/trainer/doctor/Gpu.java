package autosparse.trainer.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What can be said of an NVIDIA driver without loading it. */
final class Gpu {
  private static final Path DRIVER_VERSION = Path.of("/proc/driver/nvidia/version");

  private Gpu() {}

  static String describe() {
    return driver()
        .map(line -> "NVIDIA driver: " + line)
        .orElse("no NVIDIA driver found; --device auto is the CPU");
  }

  private static Optional<String> driver() {
    try {
      List<String> lines = Files.readAllLines(DRIVER_VERSION);
      return lines.stream().findFirst().map(line -> line.replaceAll("\\s+", " "));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
