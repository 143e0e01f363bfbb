package autosparse.tuner.measure;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How schedules are measured.
 *
 * @param timing how often and how long a kernel runs
 * @param compile how it is compiled
 * @param threads threads that the runner may use, each on a core of its own; a schedule states its
 *     own number
 * @param memoryLimitBytes address space of the runner: packed matrix, operands, reference result
 *     and program; 0 = no limit, which sanitizers need
 * @param tolerance largest error of an element of the result, relative to the sum of its products'
 *     magnitudes
 * @param seed of the values of matrix and operands
 * @param cacheFolder where compiled kernels are kept from run to run
 * @param workFolder where packed matrices lie while they are measured; best one in memory
 */
public record MeasureSettings(
    TimingSettings timing,
    CompileSettings compile,
    int threads,
    long memoryLimitBytes,
    double tolerance,
    long seed,
    Path cacheFolder,
    Path workFolder) {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  /** Throws {@link IllegalArgumentException} naming the setting that is out of range. */
  public MeasureSettings {
    SettingChecks.between("threads", threads, 1, 4096);
    SettingChecks.atLeast("memory limit in bytes", memoryLimitBytes, 0);
    SettingChecks.between("tolerance", tolerance, 0, 1);
    cacheFolder = cacheFolder.toAbsolutePath();
    workFolder = workFolder.toAbsolutePath();
    SettingChecks.oneField("cache folder", cacheFolder.toString());
    SettingChecks.oneField("work folder", workFolder.toString());
  }

  /**
   * Defaults for this machine: all processors, half of the memory, a tolerance of 1e-4, the user's
   * cache folder, and /dev/shm or else the folder for temporary files to work in.
   */
  public static MeasureSettings defaults() {
    return new MeasureSettings(
        TimingSettings.defaults(),
        CompileSettings.defaults(),
        Runtime.getRuntime().availableProcessors(),
        Machine.memory() / 2,
        1e-4,
        1,
        userCache(),
        Files.isWritable(SHARED_MEMORY)
            ? SHARED_MEMORY
            : Path.of(System.getProperty("java.io.tmpdir")));
  }

  /** {@code $XDG_CACHE_HOME/autosparse}, or {@code ~/.cache/autosparse}. */
  private static Path userCache() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base =
        cache != null && Path.of(cache).isAbsolute()
            ? Path.of(cache)
            : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("autosparse");
  }

  /** The same with another number and length of runs. */
  public MeasureSettings withTiming(TimingSettings newTiming) {
    return new MeasureSettings(
        newTiming, compile, threads, memoryLimitBytes, tolerance, seed, cacheFolder, workFolder);
  }

  /** The same compiled in another way. */
  public MeasureSettings withCompile(CompileSettings newCompile) {
    return new MeasureSettings(
        timing, newCompile, threads, memoryLimitBytes, tolerance, seed, cacheFolder, workFolder);
  }

  /** The same with another number of threads. */
  public MeasureSettings withThreads(int newThreads) {
    return new MeasureSettings(
        timing, compile, newThreads, memoryLimitBytes, tolerance, seed, cacheFolder, workFolder);
  }

  /** The same with another memory limit; 0 = none. */
  public MeasureSettings withMemoryLimit(long bytes) {
    return new MeasureSettings(
        timing, compile, threads, bytes, tolerance, seed, cacheFolder, workFolder);
  }

  /** The same with another tolerance. */
  public MeasureSettings withTolerance(double newTolerance) {
    return new MeasureSettings(
        timing, compile, threads, memoryLimitBytes, newTolerance, seed, cacheFolder, workFolder);
  }

  /** The same with other values of matrix and operands. */
  public MeasureSettings withSeed(long newSeed) {
    return new MeasureSettings(
        timing, compile, threads, memoryLimitBytes, tolerance, newSeed, cacheFolder, workFolder);
  }

  /** The same with other folders. */
  public MeasureSettings withFolders(Path newCacheFolder, Path newWorkFolder) {
    return new MeasureSettings(
        timing, compile, threads, memoryLimitBytes, tolerance, seed, newCacheFolder, newWorkFolder);
  }
}
