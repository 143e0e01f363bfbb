package autosparse.trainer.doctor;

import autosparse.engine.memory.SystemMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The machine as the operating system describes it.
 *
 * @param cpu model name
 * @param cores that this process may use
 * @param memoryBytes of the whole machine; 0 where the system does not say
 * @param os name, version and architecture
 * @param jdk version and vendor of the Java runtime
 */
public record HostMachine(String cpu, int cores, long memoryBytes, String os, String jdk) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** This machine. */
  public static HostMachine detect() {
    String arch = System.getProperty("os.arch");
    return new HostMachine(
        value(CPU_INFO, "model name").orElse(arch),
        Runtime.getRuntime().availableProcessors(),
        SystemMemory.ofThisMachine().totalBytes().orElse(0),
        System.getProperty("os.name") + " " + System.getProperty("os.version") + " " + arch,
        System.getProperty("java.runtime.version") + ", " + System.getProperty("java.vendor"));
  }

  private static Optional<String> value(Path file, String key) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      return Optional.empty();
    }
    return lines.stream()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }
}
