package autosparse.tuner.measure;

import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.codegen.KernelSource;
import autosparse.tuner.format.LevelFormat;
import autosparse.tuner.format.PackedMatrix;
import autosparse.tuner.format.Packer;
import autosparse.tuner.format.StorageCapException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * All that comes before running: refuses, packs, generates and compiles, several schedules at a
 * time.
 */
final class Preparation implements AutoCloseable {
  /** Most bytes of packed forms that lie in the work folder at a time, where it has room. */
  private static final long MAX_STORED = 2L << 30;

  /** A schedule made ready, or not. */
  sealed interface Prepared {}

  /** It can run. */
  record Ready(Path packed, KernelSource source, KernelCompiler.Compiled.Kernel kernel)
      implements Prepared {}

  /** It has no time. */
  record Failed(Outcome.Failed outcome) implements Prepared {
    Failed(Failure failure, String detail) {
      this(new Outcome.Failed(failure, detail));
    }
  }

  /** Its packed form did not fit beside the others'. */
  record Postponed() implements Prepared {}

  /** A packed form; without a file where there was no room for one. */
  private record Form(Optional<Path> file, boolean wide) implements Prepared {}

  /** Packed but not compiled. */
  private record Packed(Optional<Path> file, KernelSource source) implements Prepared {}

  /**
   * Packed forms made together, each once for all schedules that have its format.
   *
   * @param room bytes that further files may take
   * @param alone whether nothing else is packed at the same time
   */
  private record Forms(
      ConcurrentMap<List<LevelFormat>, FutureTask<Prepared>> made, AtomicLong room, boolean alone) {
    Forms(long bytes, boolean alone) {
      this(new ConcurrentHashMap<>(), new AtomicLong(bytes), alone);
    }
  }

  private final MeasureSettings settings;
  private final KernelGenerator generator;
  private final Optional<KernelCompiler> compiler;
  private final String noCompiler;
  private final WorkFolder work;
  private final TimeAccounts accounts;
  private final ExecutorService workers;
  private final AtomicLong files = new AtomicLong();
  private final Queue<Path> written = new ConcurrentLinkedQueue<>();
  private SparsityPattern matrix;
  private float[] values;
  private Problem problem;

  /**
   * Starts nothing yet.
   *
   * @param compiler empty where there is none
   * @param noCompiler why there is none
   */
  Preparation(
      MeasureSettings settings,
      KernelGenerator generator,
      Optional<KernelCompiler> compiler,
      String noCompiler,
      WorkFolder work,
      TimeAccounts accounts) {
    this.settings = settings;
    this.generator = generator;
    this.compiler = compiler;
    this.noCompiler = noCompiler;
    this.work = work;
    this.accounts = accounts;
    this.workers =
        Executors.newFixedThreadPool(
            settings.compile().processes(),
            task -> {
              Thread thread = new Thread(task, "prepare");
              thread.setDaemon(true);
              return thread;
            });
  }

  void use(SparsityPattern newMatrix, float[] newValues) {
    matrix = newMatrix;
    values = newValues;
  }

  void use(Problem newProblem) {
    problem = newProblem;
  }

  /** Prepares a batch on all workers; one result for each schedule, in order. */
  List<Prepared> prepare(List<Schedule> schedules) throws IOException {
    long free = Files.getFileStore(work.path()).getUsableSpace();
    return prepare(schedules, Math.min(MAX_STORED, free / 4));
  }

  /** As {@link #prepare(List)}, with so many bytes of packed forms at most. */
  List<Prepared> prepare(List<Schedule> schedules, long bytes) throws IOException {
    Forms forms = new Forms(bytes, false);
    int perFile = settings.compile().kernelsPerFile();
    List<Future<List<Prepared>>> groups = new ArrayList<>();
    for (int from = 0; from < schedules.size(); from += perFile) {
      List<Schedule> group = schedules.subList(from, Math.min(schedules.size(), from + perFile));
      groups.add(workers.submit(() -> prepareGroup(group, forms)));
    }
    List<Prepared> all = new ArrayList<>();
    try {
      for (Future<List<Prepared>> group : groups) {
        all.addAll(result(group));
      }
      return all;
    } finally {
      // After a failure the others may still write; their files are no longer wanted.
      groups.forEach(group -> group.cancel(true));
    }
  }

  private static <T> T result(Future<T> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while packing and compiling", e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof RuntimeException exception) {
        throw exception;
      }
      if (cause instanceof Error error) {
        throw error;
      }
      throw cause instanceof IOException exception ? exception : new IOException(cause);
    }
  }

  /** Deletes the packed forms made so far. */
  void discard() throws IOException {
    for (Path file = written.poll(); file != null; file = written.poll()) {
      Files.deleteIfExists(file);
    }
  }

  /** Prepares one schedule with all the room there is. */
  Prepared prepareAlone(Schedule schedule) throws IOException {
    return prepareGroup(List.of(schedule), new Forms(Long.MAX_VALUE, true)).get(0);
  }

  private List<Prepared> prepareGroup(List<Schedule> schedules, Forms forms) throws IOException {
    List<Prepared> prepared = new ArrayList<>();
    List<KernelSource> sources = new ArrayList<>();
    long start = System.nanoTime();
    for (Schedule schedule : schedules) {
      Prepared one = pack(schedule, forms);
      prepared.add(one);
      if (one instanceof Packed packed) {
        sources.add(packed.source());
      }
    }
    long packed = System.nanoTime();
    accounts.packNanos.add(packed - start);
    if (sources.isEmpty()) {
      return prepared;
    }
    List<KernelCompiler.Compiled> kernels = compiler.orElseThrow().compile(sources);
    accounts.compileNanos.add(System.nanoTime() - packed);
    int next = 0;
    for (int n = 0; n < prepared.size(); n++) {
      if (prepared.get(n) instanceof Packed one) {
        prepared.set(n, compiled(one, kernels.get(next++)));
      }
    }
    return prepared;
  }

  private Prepared compiled(Packed packed, KernelCompiler.Compiled compiled) {
    if (compiled instanceof KernelCompiler.Compiled.Kernel kernel) {
      (kernel.cached() ? accounts.cached : accounts.compiled).increment();
      return packed.file().isPresent()
          ? new Ready(packed.file().get(), packed.source(), kernel)
          : new Postponed();
    }
    accounts.compiled.increment();
    return new Failed(((KernelCompiler.Compiled.Refused) compiled).outcome());
  }

  private Prepared pack(Schedule schedule, Forms forms) throws IOException {
    Optional<String> refusal = generator.refusal(schedule, problem);
    if (refusal.isPresent()) {
      return new Failed(Failure.ILLEGAL, refusal.get());
    }
    if (compiler.isEmpty()) {
      return new Failed(Failure.NO_COMPILER, noCompiler);
    }
    Prepared prepared = form(schedule, forms);
    return prepared instanceof Form form
        ? new Packed(form.file(), generator.emit(schedule, problem, form.wide()))
        : prepared;
  }

  private Prepared form(Schedule schedule, Forms forms) throws IOException {
    FutureTask<Prepared> mine = new FutureTask<>(() -> makeForm(schedule, forms));
    FutureTask<Prepared> first = forms.made().putIfAbsent(LevelFormat.of(schedule, problem), mine);
    if (first == null) {
      mine.run();
    }
    return result(first == null ? mine : first);
  }

  private Prepared makeForm(Schedule schedule, Forms forms) throws IOException {
    PackedMatrix packed;
    SectionFile file;
    try {
      packed = Packer.pack(matrix, values, schedule, problem);
      file = RunnerFiles.packed(packed);
    } catch (StorageCapException e) {
      return new Failed(Failure.STORAGE_CAP, e.getMessage());
    } catch (OutOfMemoryError e) {
      // Other workers pack too: once more when nothing else does.
      return forms.alone()
          ? new Failed(Failure.OUT_OF_MEMORY, "packing: " + e.getMessage() + " (java -Xmx)")
          : new Postponed();
    }
    long limit = settings.memoryLimitBytes();
    long needed = file.bytes() + RunnerFiles.operandBytes(packed);
    if (limit > 0 && needed > limit) {
      return new Failed(
          Failure.OUT_OF_MEMORY,
          "packed matrix and operands take " + needed + " bytes, the limit is " + limit);
    }
    if (forms.room().addAndGet(-file.bytes()) < 0) {
      forms.room().addAndGet(file.bytes());
      // Its kernel is compiled with the others all the same, and will be in the cache.
      return new Form(Optional.empty(), packed.wide());
    }
    Path path = work.resolve("packed-" + files.incrementAndGet());
    written.add(path);
    file.write(path);
    return new Form(Optional.of(path), packed.wide());
  }

  @Override
  public void close() {
    workers.shutdownNow();
    try {
      // An interrupted worker kills its compiler first.
      if (!workers.awaitTermination(1, TimeUnit.MINUTES)) {
        throw new UncheckedIOException(new IOException("a compiler does not end"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
