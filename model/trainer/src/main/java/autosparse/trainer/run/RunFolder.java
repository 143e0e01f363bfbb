package autosparse.trainer.run;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.costmodel.checkpoint.FolderLock;
import autosparse.schedule.InputException;
import autosparse.trainer.report.ReportData;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder of one training run, or of weights that were imported (configuration, environment and
 * one checkpoint):
 *
 * <pre>
 * config.yaml     the options, as resolved
 * env.json        commit, JDK, machine, device and why, seed
 * metrics.jsonl   loss by step, accuracy by epoch
 * events.out.*    the same for TensorBoard
 * checkpoints/    weights and state
 * report.html     tables and curves
 * results.json    top-1, top-5 and pairs of each task, for {@code summarize}
 * memory.json     device and host at their highest, by kind, planned and measured
 * features-mlp.safetensors  the baseline trained for comparison
 * </pre>
 *
 * <p>One process at a time: the open folder is locked.
 */
public final class RunFolder implements AutoCloseable {
  /** What to do about a folder that holds something already. */
  public enum Mode {
    /** Refuse it. */
    NEW,
    /** Go on with the run that is in it. */
    RESUME,
    /** Delete the run that is in it and start anew; files that are none of a run's stay. */
    FORCE
  }

  private static final String CONFIG = "config.yaml";
  private static final String ENVIRONMENT = "env.json";
  private static final String METRICS = "metrics.jsonl";
  private static final String REPORT = "report.html";
  private static final String RESULTS = "results.json";
  private static final String MEMORY = "memory.json";
  private static final String BASELINE = "features-mlp.safetensors";
  private static final String CHECKPOINTS = "checkpoints";

  private final Path directory;
  private final FolderLock lock;

  private RunFolder(Path directory, FolderLock lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Opens a run's folder, making it if need be.
   *
   * @throws InputException if it cannot be used: not writable, in use, not empty, nothing to resume
   */
  public static RunFolder open(Path directory, Mode mode) {
    check(directory, mode);
    FolderLock lock = lock(directory);
    RunFolder folder = new RunFolder(directory, lock);
    if (mode == Mode.FORCE) {
      folder.clear();
    }
    return folder;
  }

  /**
   * Checks what can be checked without writing: for a command that has long work to do before it
   * opens the folder.
   *
   * @throws InputException if the folder cannot be used in this mode
   */
  public static void check(Path directory, Mode mode) {
    if (mode == Mode.RESUME && !isRun(directory)) {
      throw new InputException(
          "--resume: " + directory + " holds no run (no " + CONFIG + "); leave --resume off");
    }
    if (mode == Mode.NEW && !isEmptyOrAbsent(directory)) {
      throw new InputException(
          "--out: "
              + directory
              + " is not empty; --resume goes on with the run in it, --force deletes that run");
    }
  }

  private static boolean isEmptyOrAbsent(Path directory) {
    if (!Files.exists(directory)) {
      return true;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.allMatch(file -> file.getFileName().toString().equals(FolderLock.NAME));
    } catch (IOException e) {
      throw unusable(directory, e);
    }
  }

  private static FolderLock lock(Path directory) {
    Optional<FolderLock> lock;
    try {
      Files.createDirectories(directory.resolve(CHECKPOINTS));
      lock = FolderLock.acquire(directory);
    } catch (IOException e) {
      throw unusable(directory, e);
    }
    return lock.orElseThrow(
        () -> new InputException("--out: " + directory + " is in use by another run"));
  }

  private static InputException unusable(Path directory, IOException e) {
    String reason =
        e instanceof FileAlreadyExistsException existing
            ? existing.getFile() + " is a file, not a folder"
            : FileWriteException.reason(e);
    return new InputException("--out: cannot write to " + directory + ": " + reason, e);
  }

  private void clear() {
    checkpoints().clear();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (List.of(CONFIG, ENVIRONMENT, METRICS, REPORT, RESULTS, MEMORY, BASELINE).contains(name)
            || name.startsWith(TensorBoardEvents.PREFIX)) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw new FileWriteException(directory, e);
    }
  }

  public Path directory() {
    return directory;
  }

  public CheckpointFolder checkpoints() {
    return checkpointsOf(directory);
  }

  /** The checkpoints of a run that is not opened for writing. */
  public static CheckpointFolder checkpointsOf(Path run) {
    return new CheckpointFolder(run.resolve(CHECKPOINTS));
  }

  /** Writes {@code config.yaml}. */
  public void writeConfig(Map<String, Object> options) {
    ConfigFile.write(directory.resolve(CONFIG), options);
  }

  /** Whether a folder holds a run. */
  public static boolean isRun(Path directory) {
    return Files.isRegularFile(directory.resolve(CONFIG));
  }

  /** The run that a checkpoint's file lies in. */
  public static Optional<Path> ofCheckpoint(Path file) {
    return Optional.ofNullable(file.toAbsolutePath().getParent())
        .filter(folder -> folder.endsWith(CHECKPOINTS))
        .map(Path::getParent)
        .filter(RunFolder::isRun);
  }

  /** The options that a run was started with. */
  public static Map<String, Object> readConfig(Path run) {
    return ConfigFile.read(run.resolve(CONFIG));
  }

  /** Writes {@code env.json}. */
  public void writeEnvironment(Environment environment) {
    AtomicFiles.writeText(
        directory.resolve(ENVIRONMENT),
        JsonLines.objectOf(environment.facts()).toPrettyString() + "\n");
  }

  /** Writes {@code memory.json}, in bytes. */
  public void writeMemory(ReportData.Memory memory) {
    ObjectNode root = JsonLines.MAPPER.createObjectNode();
    ObjectNode device = root.putObject("device");
    device.put("budget_bytes", memory.budgetBytes()).put("peak_bytes", memory.peakBytes());
    device.set("at_peak", JsonLines.objectOf(memory.peakByTag()));
    ArrayNode host = root.putArray("host");
    for (ReportData.HostRow row : memory.host()) {
      ObjectNode node = host.addObject().put("what", row.what());
      node.put("planned_bytes", row.planned());
      row.measured().ifPresent(bytes -> node.put("measured_bytes", bytes));
    }
    AtomicFiles.writeText(directory.resolve(MEMORY), root.toPrettyString() + "\n");
  }

  /** Where {@code metrics.jsonl} is. */
  public Path metricsFile() {
    return directory.resolve(METRICS);
  }

  /** Where {@code report.html} is. */
  public Path reportFile() {
    return directory.resolve(REPORT);
  }

  /** Where {@code results.json} of a run is. */
  public static Path resultsOf(Path run) {
    return run.resolve(RESULTS);
  }

  /** Where the weights of the baseline trained for comparison are. */
  public Path baselineFile() {
    return baselineOf(directory);
  }

  /** The same for a run that is not opened for writing. */
  public static Path baselineOf(Path run) {
    return run.resolve(BASELINE);
  }

  /** Gives the folder free for other processes. */
  @Override
  public void close() {
    lock.close();
  }
}
