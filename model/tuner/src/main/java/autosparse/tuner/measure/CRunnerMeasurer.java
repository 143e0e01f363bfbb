package autosparse.tuner.measure;

import autosparse.schedule.InputException;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Measures schedules as compiled C in a child process.
 *
 * <p>Schedules are taken in batches. First the workers, one a processor, pack and compile the
 * batch; then its kernels run one at a time, with nothing else at work: timing never shares the
 * machine with anything of ours. What fails is reported as what it is, and the rest goes on. What
 * is no schedule's fault, such as a full disk, is thrown: no outcome is made up for it.
 */
public final class CRunnerMeasurer implements ScheduleMeasurer {
  /** How long a runner may overrun its own time limit before it is killed from outside. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  /** Compiler calls of a batch per worker: enough that none waits long for the last one. */
  private static final int ROUNDS = 4;

  private final MeasureSettings settings;
  private final KernelGenerator generator;
  private final Duration grace;
  private final TimeAccounts accounts = new TimeAccounts();
  private Optional<Toolchain> toolchain = Optional.empty();
  private String noCompiler = "";
  private WorkFolder work;
  private KernelCompiler compiler;
  private Preparation preparation;
  private KernelRunner runner;
  private SparsityPattern currentMatrix;
  private Problem currentProblem;

  /** Nothing is started or written before there is something to measure. */
  public CRunnerMeasurer(MeasureSettings settings) {
    this(settings, KernelGenerator.emitter(), GRACE);
  }

  /** With other kernels than those of the code generator, e.g. ones written by hand. */
  public CRunnerMeasurer(MeasureSettings settings, KernelGenerator generator) {
    this(settings, generator, GRACE);
  }

  /** With another grace too, for tests. */
  CRunnerMeasurer(MeasureSettings settings, KernelGenerator generator, Duration grace) {
    this.settings = settings;
    this.generator = generator;
    this.grace = grace;
  }

  /** Where the time went so far. */
  public TimeSpent timeSpent() {
    return accounts.snapshot();
  }

  /** Process number of the child, where there is one. */
  Optional<Long> runnerPid() {
    return Optional.ofNullable(runner).flatMap(KernelRunner::pid);
  }

  /**
   * {@inheritDoc}
   *
   * @throws UncheckedIOException if a folder cannot be written, e.g. a disk is full
   * @throws IllegalStateException if the program that runs kernels does not compile
   */
  @Override
  public void measure(
      SparsityPattern matrix, Problem problem, List<Schedule> schedules, Listener listener) {
    long start = System.nanoTime();
    try {
      open();
      use(matrix, problem);
      int batch = settings.compile().kernelsPerFile() * settings.compile().processes() * ROUNDS;
      for (int from = 0; from < schedules.size(); from += batch) {
        int to = Math.min(schedules.size(), from + batch);
        measureBatch(from, schedules.subList(from, to), listener);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    } finally {
      accounts.totalNanos += System.nanoTime() - start;
    }
  }

  private void open() throws IOException {
    if (work != null) {
      return;
    }
    try {
      toolchain = Optional.of(Toolchain.find(settings.compile().cc()));
    } catch (InputException e) {
      // Recorded for each schedule, as any other reason why there is no time.
      noCompiler = e.getMessage();
    }
    work = WorkFolder.create(settings.workFolder());
    if (toolchain.isPresent()) {
      compiler =
          new KernelCompiler(
              toolchain.get(), settings.compile(), settings.cacheFolder(), work.path());
    }
    preparation =
        new Preparation(
            settings, generator, Optional.ofNullable(compiler), noCompiler, work, accounts);
  }

  private void use(SparsityPattern matrix, Problem problem) throws IOException {
    if (matrix == currentMatrix && problem.equals(currentProblem)) {
      return;
    }
    Path file = work.resolve("matrix");
    if (matrix != currentMatrix) {
      currentMatrix = null;
      float[] values = RunnerFiles.madeUpValues(matrix, settings.seed());
      // A new file rather than new contents: the child may have the old one mapped.
      Files.deleteIfExists(file);
      RunnerFiles.matrix(matrix, values).write(file);
      preparation.use(matrix, values);
    }
    preparation.use(problem);
    if (runner != null) {
      runner.use(file, problem);
    }
    currentMatrix = matrix;
    currentProblem = problem;
  }

  private void measureBatch(int first, List<Schedule> schedules, Listener listener)
      throws IOException {
    long start = System.nanoTime();
    List<Preparation.Prepared> batch;
    try {
      batch = preparation.prepare(schedules);
    } finally {
      accounts.prepareNanos += System.nanoTime() - start;
    }
    try {
      for (int n = 0; n < schedules.size(); n++) {
        Outcome outcome = measure(schedules.get(n), batch.get(n));
        accounts.schedules++;
        accounts.timed += outcome instanceof Outcome.Timed ? 1 : 0;
        listener.measured(first + n, schedules.get(n), outcome);
      }
    } finally {
      preparation.discard();
    }
  }

  private Outcome measure(Schedule schedule, Preparation.Prepared early) throws IOException {
    if (!(early instanceof Preparation.Postponed)) {
      return measure(early);
    }
    long start = System.nanoTime();
    Preparation.Prepared prepared;
    try {
      prepared = preparation.prepareAlone(schedule);
    } finally {
      accounts.prepareNanos += System.nanoTime() - start;
    }
    Outcome outcome = measure(prepared);
    if (prepared instanceof Preparation.Ready ready) {
      // The next one that waited needs the room.
      Files.delete(ready.packed());
    }
    return outcome;
  }

  private Outcome measure(Preparation.Prepared prepared) {
    if (prepared instanceof Preparation.Failed failed) {
      return failed.outcome();
    }
    Preparation.Ready ready = (Preparation.Ready) prepared;
    Outcome outcome = runner().run(ready.packed(), ready.kernel());
    boolean loaded =
        !(outcome instanceof Outcome.Failed failed && failed.failure() == Failure.COMPILE_ERROR);
    if (loaded) {
      return outcome;
    }
    // Perhaps the file in the cache is broken, or it is a neighbour in the file that is at fault.
    compiler.forget(ready.kernel());
    KernelCompiler.Compiled again = compiler.compile(List.of(ready.source())).get(0);
    return again instanceof KernelCompiler.Compiled.Kernel kernel
        ? runner().run(ready.packed(), kernel)
        : ((KernelCompiler.Compiled.Refused) again).outcome();
  }

  private KernelRunner runner() {
    if (runner == null) {
      runner = new KernelRunner(compiler.runner(), settings, grace, accounts);
      runner.use(work.resolve("matrix"), currentProblem);
    }
    return runner;
  }

  /** Ends the child process and deletes the work folder; the cache stays. */
  @Override
  public void close() {
    try (WorkFolder folder = work;
        KernelRunner child = runner;
        Preparation workers = preparation) {
      work = null;
      runner = null;
      preparation = null;
    }
  }
}
