package autosparse.trainer.doctor;

import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.SystemMemory;
import autosparse.kernels.CudaCallException;
import autosparse.kernels.CudaDriver;
import autosparse.trainer.BuildInfo;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;

/** Finds out what the machine offers. What is missing is said so, and fails nothing. */
public final class Doctor {
  private static final double GIGA = 1e9;

  private Doctor() {}

  /** One line of the examination. */
  public record Finding(String what, String found) {
    @Override
    public String toString() {
      return String.format("%-12s %s", what, found);
    }
  }

  /**
   * Looks at everything; takes a few seconds.
   *
   * @param selection the device that a training run would take
   * @param data folder with records and matrices to look for
   */
  public static List<Finding> examine(DeviceSelection selection, Path data) {
    HostMachine host = HostMachine.detect();
    List<Finding> findings = new ArrayList<>();
    findings.add(new Finding("program", BuildInfo.version() + ", commit " + BuildInfo.commit()));
    findings.add(new Finding("system", host.os()));
    findings.add(new Finding("processor", host.cpu() + ", " + host.cores() + " cores to use"));
    findings.add(new Finding("memory", memory(host)));
    findings.add(new Finding("host budget", hostBudget(selection.host())));
    findings.add(new Finding("java", host.jdk()));
    findings.add(new Finding("openblas", openBlas()));
    findings.add(
        new Finding("copy", gigabytes(Math.round(Rates.copyBytesPerSecond())) + "/s, one thread"));
    findings.add(new Finding("disk", disk(Path.of("").toAbsolutePath())));
    findings.add(new Finding("gpu", gpu()));
    findings.addAll(device(selection));
    findings.add(new Finding("data", data(data)));
    return findings;
  }

  private static String memory(HostMachine host) {
    String heap = gigabytes(Runtime.getRuntime().maxMemory());
    return gigabytes(host.memoryBytes())
        + SystemMemory.ofThisMachine().availableBytes().stream()
            .mapToObj(free -> ", " + gigabytes(free) + " available")
            .findFirst()
            .orElse("")
        + ", Java heap up to "
        + heap;
  }

  /** What a run may take of the host, and why not more. */
  private static String hostBudget(HostBudget budget) {
    OptionalLong groups = SystemMemory.ofThisMachine().leftInControlGroups();
    return gigabytes(budget.bytes())
        + (budget.asked() ? " asked for" : " that this process can have")
        + (groups.isPresent() ? ", control groups leave " + gigabytes(groups.getAsLong()) : "")
        + "; of it the Java heap "
        + gigabytes(budget.heapBytes())
        + ", in bytes outside of it: "
        + budget.outsideText();
  }

  private static String openBlas() {
    try {
      Loader.load(openblas.class);
      return openblas.OPENBLAS_VERSION.strip();
    } catch (LinkageError e) {
      return "not loaded: " + firstLine(e);
    }
  }

  /** The chosen device at work: what it is, and the rate of its engine's GEMM. */
  private static List<Finding> device(DeviceSelection selection) {
    String chosen = selection.chosen() + " (" + selection.reason() + ")";
    try (Device device = selection.open()) {
      String facts =
          device.facts().entrySet().stream()
              .map(fact -> fact.getKey() + " " + fact.getValue())
              .collect(Collectors.joining("; "));
      MemoryBudget budget = device.budget();
      String memory =
          gigabytes(device.memory().capacity())
              + " for tensors of a budget of "
              + gigabytes(budget.bytes())
              + (budget.taken().isEmpty()
                  ? ""
                  : " (not for tensors, in bytes: " + budget.takenText() + ")");
      int n = selection.isCuda() ? Rates.CUDA_SGEMM_SIZE : Rates.CPU_SGEMM_SIZE;
      return List.of(
          new Finding("device", chosen + "; " + facts + "; " + memory),
          new Finding(
              "sgemm",
              String.format(
                  Locale.ROOT,
                  "%.1f GFLOP/s (%d × %d × %d, best of %d, %s)",
                  Rates.sgemmFlopsPerSecond(device, n) / GIGA,
                  n,
                  n,
                  n,
                  Rates.REPEATS,
                  device.operators().gemm().provider())));
    } catch (CudaCallException | LinkageError e) {
      return List.of(new Finding("device", chosen + "; fails: " + firstLine(e)));
    }
  }

  private static String gpu() {
    CudaDriver driver = CudaDriver.probe();
    if (!driver.isAvailable()) {
      return driver.unavailable();
    }
    return driver.devices().stream()
            .map(
                gpu ->
                    String.format(
                        "cuda:%d %s (compute capability %s, %s)",
                        gpu.ordinal(),
                        gpu.name(),
                        gpu.computeCapability(),
                        gigabytes(gpu.totalBytes())))
            .collect(Collectors.joining("; "))
        + "; driver for CUDA "
        + driver.version();
  }

  private static String disk(Path folder) {
    try {
      FileStore store = Files.getFileStore(folder);
      return gigabytes(store.getUsableSpace())
          + " free in "
          + folder
          + (Files.isWritable(folder) ? "" : " (not writable)");
    } catch (IOException e) {
      return "unknown for " + folder;
    }
  }

  private static String data(Path folder) {
    Map<String, Long> counts = new TreeMap<>();
    Path records = folder.resolve("records");
    if (!Files.isDirectory(records)) {
      return "none at " + folder + " (--data DIR)";
    }
    for (String op : List.of("spmm", "spmv", "sddmm")) {
      counts.put(op, files(records.resolve(op)));
    }
    return String.format(
        "%s: matrices %d, record files %s",
        folder, files(folder.resolve("matrices")), counts.toString().replaceAll("[{}]", ""));
  }

  private static long files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    } catch (IOException e) {
      return 0;
    }
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / GIGA);
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
