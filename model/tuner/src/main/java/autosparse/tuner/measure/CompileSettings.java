package autosparse.tuner.measure;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * How kernels and the runner are compiled.
 *
 * @param cc the C compiler: a name to find on the PATH, or a path
 * @param flags for kernels; what makes them shared objects is added
 * @param runnerFlags for the program that calls them; never -ffast-math, which knows no NaN
 * @param timeout longest that one call of the compiler may take
 * @param kernelsPerFile kernels that one call of the compiler translates
 * @param processes calls of the compiler at the same time
 */
public record CompileSettings(
    String cc,
    List<String> flags,
    List<String> runnerFlags,
    Duration timeout,
    int kernelsPerFile,
    int processes) {
  /** Throws {@link IllegalArgumentException} naming the setting that is out of range. */
  public CompileSettings {
    flags = List.copyOf(flags);
    runnerFlags = List.copyOf(runnerFlags);
    SettingChecks.notBlank("compiler", cc);
    SettingChecks.between("compiler time limit in ms", timeout.toMillis(), 1, 3_600_000);
    SettingChecks.between("kernels a file", kernelsPerFile, 1, 1024);
    SettingChecks.between("compilers at a time", processes, 1, 1024);
  }

  /** gcc with full optimisation for this processor, as many at a time as there are processors. */
  public static CompileSettings defaults() {
    List<String> flags = List.of("-O3", "-march=native", "-fopenmp");
    return new CompileSettings(
        "gcc", flags, flags, Duration.ofSeconds(60), 4, Runtime.getRuntime().availableProcessors());
  }

  /** The same with another compiler. */
  public CompileSettings withCompiler(String newCc) {
    return new CompileSettings(newCc, flags, runnerFlags, timeout, kernelsPerFile, processes);
  }

  /** The same with further flags for both kernels and runner, e.g. for a sanitizer. */
  public CompileSettings withFurtherFlags(List<String> further) {
    return new CompileSettings(
        cc, join(flags, further), join(runnerFlags, further), timeout, kernelsPerFile, processes);
  }

  /** The same with another time limit. */
  public CompileSettings withTimeout(Duration newTimeout) {
    return new CompileSettings(cc, flags, runnerFlags, newTimeout, kernelsPerFile, processes);
  }

  /** The same with another number of kernels a file and of compilers at a time. */
  public CompileSettings withBatching(int newKernelsPerFile, int newProcesses) {
    return new CompileSettings(cc, flags, runnerFlags, timeout, newKernelsPerFile, newProcesses);
  }

  private static List<String> join(List<String> first, List<String> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }
}
