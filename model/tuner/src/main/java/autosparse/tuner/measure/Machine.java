package autosparse.tuner.measure;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The machine on which times were measured: times of two machines are no times of one task.
 *
 * @param cpu model name
 * @param processors that this process may use
 * @param caches of the first processor, as level, kind and size: {@code L2 Unified 1024K}
 * @param memoryBytes of the whole machine; 0 where the system does not say
 * @param governor of the first processor's frequency; empty where the system does not say
 * @param hugePages the system's setting for transparent huge pages; empty where it does not say
 * @param kernel name, version and architecture of the system
 * @param compiler its version
 * @param flags that kernels are compiled with
 * @param date when this was found out, in UTC, to the second
 */
public record Machine(
    String cpu,
    int processors,
    List<String> caches,
    long memoryBytes,
    Optional<String> governor,
    Optional<String> hugePages,
    String kernel,
    String compiler,
    List<String> flags,
    Instant date) {
  private static final Path CPU = Path.of("/sys/devices/system/cpu/cpu0");
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  /** Copies the lists. */
  public Machine {
    caches = List.copyOf(caches);
    flags = List.copyOf(flags);
  }

  /** This machine, with the compiler that the settings name. */
  public static Machine detect(Toolchain toolchain, CompileSettings compile) {
    return new Machine(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        firstProcessorsCaches(),
        memory(),
        line(CPU.resolve("cpufreq/scaling_governor")),
        line(HUGE_PAGES).map(Machine::chosen),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        toolchain.version(),
        compile.flags(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS));
  }

  /** The processor's model, or its architecture where the system does not say. */
  static String cpuModel() {
    return value("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch"));
  }

  /** What the processor can do, as the system lists it: code for one may not run on another. */
  static String cpuFeatures() {
    return value("/proc/cpuinfo", "flags").orElse("");
  }

  /** Memory of the whole machine in bytes; 0 where the system does not say. */
  static long memory() {
    return value("/proc/meminfo", "MemTotal")
        .map(text -> text.replaceAll("\\D", ""))
        .filter(digits -> !digits.isEmpty())
        .map(digits -> Long.parseLong(digits) * 1024)
        .orElse(0L);
  }

  private static List<String> firstProcessorsCaches() {
    List<String> caches = new ArrayList<>();
    Path folder = CPU.resolve("cache");
    if (!Files.isDirectory(folder)) {
      return caches;
    }
    try (DirectoryStream<Path> indexes = Files.newDirectoryStream(folder, "index*")) {
      for (Path index : indexes) {
        Optional<String> level = line(index.resolve("level"));
        Optional<String> kind = line(index.resolve("type"));
        Optional<String> size = line(index.resolve("size"));
        if (level.isPresent() && kind.isPresent() && size.isPresent()) {
          caches.add("L" + level.get() + " " + kind.get() + " " + size.get());
        }
      }
    } catch (IOException e) {
      // A description of the machine says what can be read, as for the governor.
      return List.of();
    }
    caches.sort(Comparator.naturalOrder());
    return caches;
  }

  /** {@code always [madvise] never} → {@code madvise}. */
  private static String chosen(String choices) {
    int open = choices.indexOf('[');
    int close = choices.indexOf(']', open + 1);
    return open < 0 || close < 0 ? choices : choices.substring(open + 1, close);
  }

  private static Optional<String> line(Path file) {
    try {
      return Files.readAllLines(file).stream().findFirst().map(String::strip);
    } catch (IOException e) {
      // Not every system has every file: the description then says less.
      return Optional.empty();
    }
  }

  private static Optional<String> value(String file, String key) {
    try {
      return Files.readAllLines(Path.of(file)).stream()
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
