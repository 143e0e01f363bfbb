package autosparse.tuner.measure;

import autosparse.tuner.codegen.KernelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/**
 * Compiles kernels to shared objects, several in one file, and keeps them for later. Threads may
 * share it: each call runs a compiler of its own.
 *
 * <p>A kernel's name in the cache is a hash of all that its code depends on: source, interface,
 * flags, compiler and processor (for {@code -march=native}). Inside of its shared object the
 * function has the same name, so that kernels that were compiled together and kernels that were not
 * are found alike.
 */
public final class KernelCompiler {
  /** What became of one kernel. */
  public sealed interface Compiled {
    /**
     * It is there.
     *
     * @param sharedObject the file
     * @param function the function's name in it
     * @param cached whether it was there already
     */
    record Kernel(Path sharedObject, String function, boolean cached) implements Compiled {}

    /**
     * It is not.
     *
     * @param outcome {@link Failure#COMPILE_ERROR} or {@link Failure#COMPILE_TIMEOUT}
     */
    record Refused(Outcome.Failed outcome) implements Compiled {}
  }

  private final Toolchain toolchain;
  private final CompileSettings settings;
  private final CompileCache cache;
  private final Path workFolder;
  private final LongAdder translated = new LongAdder();

  /**
   * Starts nothing.
   *
   * @param cacheFolder where shared objects are kept; made when there is one to keep
   * @param workFolder where sources and unfinished objects lie
   */
  public KernelCompiler(
      Toolchain toolchain, CompileSettings settings, Path cacheFolder, Path workFolder) {
    this.toolchain = toolchain;
    this.settings = settings;
    this.cache = new CompileCache(cacheFolder, toolchain);
    this.workFolder = workFolder;
  }

  /** Kernels translated so far, not counting those found in the cache. */
  public long translated() {
    return translated.sum();
  }

  /**
   * Compiles kernels with one call of the compiler for all that are not in the cache; where that
   * call fails, with one call for each.
   *
   * @return one for each source, in order
   * @throws UncheckedIOException if a folder cannot be written, e.g. a disk is full
   */
  public List<Compiled> compile(List<KernelSource> sources) {
    Map<String, KernelSource> missing = new LinkedHashMap<>();
    Map<String, Compiled> done = new LinkedHashMap<>();
    List<String> keys = new ArrayList<>();
    for (KernelSource source : sources) {
      String key = cache.key(settings.flags(), source.functionName(), source.code());
      keys.add(key);
      Optional<Path> found = cache.find(key);
      if (found.isPresent()) {
        done.put(key, new Compiled.Kernel(found.get(), function(key), true));
      } else {
        missing.put(key, source);
      }
    }
    try {
      done.putAll(compileMissing(missing));
    } catch (IOException e) {
      throw new UncheckedIOException("compiling kernels: " + e.getMessage(), e);
    }
    return keys.stream().map(done::get).toList();
  }

  private Map<String, Compiled> compileMissing(Map<String, KernelSource> missing)
      throws IOException {
    Map<String, Compiled> done = new LinkedHashMap<>();
    if (missing.isEmpty()) {
      return done;
    }
    Optional<Outcome.Failed> failure = compileTogether(missing);
    if (failure.isEmpty()) {
      missing
          .keySet()
          .forEach(
              key -> done.put(key, new Compiled.Kernel(cache.path(key), function(key), false)));
      return done;
    }
    if (missing.size() == 1) {
      missing.keySet().forEach(key -> done.put(key, new Compiled.Refused(failure.get())));
      return done;
    }
    // Which of them it was, the message does not reliably say.
    for (Map.Entry<String, KernelSource> one : missing.entrySet()) {
      done.putAll(compileMissing(Map.of(one.getKey(), one.getValue())));
    }
    return done;
  }

  private Optional<Outcome.Failed> compileTogether(Map<String, KernelSource> kernels)
      throws IOException {
    StringBuilder code = new StringBuilder("#include \"" + RuntimeSources.ABI + "\"\n");
    kernels.forEach(
        (key, source) ->
            code.append("\n#define ")
                .append(source.functionName())
                .append(' ')
                .append(function(key))
                .append('\n')
                .append(source.code())
                .append("\n#undef ")
                .append(source.functionName())
                .append('\n'));
    Path folder = Files.createTempDirectory(workFolder, "compile-");
    try {
      Path source = Files.writeString(folder.resolve("kernels.c"), code);
      RuntimeSources.write(RuntimeSources.ABI, folder);
      Path object = folder.resolve("kernels.so");
      List<String> command = command(settings.flags(), List.of(source), object);
      command.addAll(List.of("-shared", "-fPIC"));
      translated.add(kernels.size());
      Optional<Outcome.Failed> failure = call(command, folder);
      if (failure.isEmpty()) {
        cache.keep(object, List.copyOf(kernels.keySet()));
      }
      return failure;
    } finally {
      WorkFolder.delete(folder);
    }
  }

  /**
   * The program that calls kernels, compiled where the cache does not have it.
   *
   * @throws IllegalStateException if it does not compile
   * @throws UncheckedIOException if a folder cannot be written
   */
  public Path runner() {
    String code =
        RuntimeSources.RUNNER.stream().map(RuntimeSources::text).collect(Collectors.joining());
    String key = cache.key(settings.runnerFlags(), "runner", code);
    Optional<Path> found = cache.find(key);
    if (found.isPresent()) {
      return found.get();
    }
    try {
      Path folder = Files.createTempDirectory(workFolder, "compile-");
      try {
        List<Path> sources = new ArrayList<>();
        for (String name : RuntimeSources.RUNNER) {
          RuntimeSources.write(name, folder);
          if (name.endsWith(".c")) {
            sources.add(folder.resolve(name));
          }
        }
        Path program = folder.resolve("runner");
        List<String> command = command(settings.runnerFlags(), sources, program);
        command.addAll(List.of("-ldl", "-lpthread"));
        Optional<Outcome.Failed> failure = call(command, folder);
        if (failure.isPresent()) {
          throw new IllegalStateException(
              "the program that runs kernels does not compile with "
                  + toolchain.executable()
                  + " "
                  + String.join(" ", settings.runnerFlags())
                  + ": "
                  + failure.get().detail());
        }
        cache.keep(program, List.of(key));
        return cache.path(key);
      } finally {
        WorkFolder.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("compiling the runner: " + e.getMessage(), e);
    }
  }

  /** Removes a kernel from the cache, because its file turned out to be broken. */
  void forget(Compiled.Kernel kernel) {
    try {
      Files.deleteIfExists(kernel.sharedObject());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot delete " + kernel.sharedObject() + ": " + e.getMessage(), e);
    }
  }

  private List<String> command(List<String> flags, List<Path> sources, Path target) {
    List<String> command = new ArrayList<>();
    command.add(toolchain.executable().toString());
    command.addAll(flags);
    command.addAll(List.of("-o", target.toString()));
    sources.forEach(source -> command.add(source.toString()));
    command.add("-lm");
    return command;
  }

  /** Runs the compiler; empty where it succeeded. */
  private Optional<Outcome.Failed> call(List<String> command, Path folder) throws IOException {
    ChildProcess.Result result =
        ChildProcess.run(
            command, settings.timeout(), Map.of("LC_ALL", "C", "TMPDIR", folder.toString()));
    if (result.timedOut()) {
      return Optional.of(
          new Outcome.Failed(
              Failure.COMPILE_TIMEOUT, "more than " + settings.timeout().toMillis() + " ms"));
    }
    if (result.exitCode() == 0) {
      return Optional.empty();
    }
    if (result.output().contains("No space left on device")) {
      throw new IOException("No space left on device (work folder " + workFolder + ")");
    }
    return Optional.of(
        new Outcome.Failed(Failure.COMPILE_ERROR, firstError(result, folder.toString())));
  }

  private static String firstError(ChildProcess.Result result, String folder) {
    return result
        .output()
        .lines()
        .filter(line -> line.contains("error:") || line.contains("undefined reference"))
        .findFirst()
        .map(line -> OutputDrain.printable(line.replace(folder + "/", "")))
        .orElseGet(result::brief);
  }

  private static String function(String key) {
    return "as_" + key.substring(0, 32);
  }
}
