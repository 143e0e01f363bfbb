package autosparse.tuner.measure;

import autosparse.schedule.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Checks and times kernels in a child process that it starts when there is something to run, and
 * again after each kernel that ended it. One thread.
 */
final class KernelRunner implements AutoCloseable {
  /** How long anything but running a kernel may take: files of gigabytes are mapped and read. */
  private static final Duration LOADING = Duration.ofMinutes(5);

  private final Path executable;
  private final MeasureSettings settings;
  private final Duration grace;
  private final TimeAccounts accounts;
  private Path matrixFile;
  private Problem problem;
  private RunnerProcess process;
  private boolean matrixLoaded;
  private Path packedLoaded;

  /**
   * Starts nothing yet.
   *
   * @param grace how long the process may overrun the time limit of its kernels, which it watches
   *     itself, before it is killed from here
   */
  KernelRunner(Path executable, MeasureSettings settings, Duration grace, TimeAccounts accounts) {
    this.executable = executable;
    this.settings = settings;
    this.grace = grace;
    this.accounts = accounts;
  }

  /** Sets the matrix and operator that the next kernels are for. */
  void use(Path newMatrixFile, Problem newProblem) {
    matrixFile = newMatrixFile;
    problem = newProblem;
    matrixLoaded = false;
    packedLoaded = null;
  }

  /** Process number of the child, where there is one. */
  Optional<Long> pid() {
    return Optional.ofNullable(process).map(RunnerProcess::pid);
  }

  /**
   * Checks and times one kernel.
   *
   * @param packed the packed form that it is for; a name stands for one content for ever
   * @return a time or why there is none; {@link Failure#COMPILE_ERROR} if the shared object does
   *     not load
   * @throws UncheckedIOException if the child cannot be started or a file is not as it was written
   */
  Outcome run(Path packed, KernelCompiler.Compiled.Kernel kernel) {
    long start = System.nanoTime();
    try {
      Optional<Outcome> failed = load(packed);
      if (failed.isPresent()) {
        return failed.get();
      }
    } catch (RunnerProcess.Death e) {
      process = null;
      return e.outcome();
    } finally {
      accounts.loadNanos += System.nanoTime() - start;
    }
    long loaded = System.nanoTime();
    try {
      return time(kernel);
    } catch (RunnerProcess.Death e) {
      process = null;
      accounts.lostNanos += System.nanoTime() - loaded;
      return e.outcome();
    }
  }

  private Optional<Outcome> load(Path packed) throws RunnerProcess.Death {
    if (process == null) {
      start();
    }
    if (!matrixLoaded) {
      packedLoaded = null;
      Optional<Outcome> failed =
          load(
              List.of(
                  "matrix",
                  matrixFile.toString(),
                  problem.op().id(),
                  Long.toString(problem.denseSize()),
                  Long.toUnsignedString(settings.seed())));
      if (failed.isPresent()) {
        return failed;
      }
      matrixLoaded = true;
    }
    if (!packed.equals(packedLoaded)) {
      packedLoaded = null;
      Optional<Outcome> failed = load(List.of("packed", packed.toString()));
      if (failed.isPresent()) {
        return failed;
      }
      packedLoaded = packed;
    }
    return Optional.empty();
  }

  private void start() {
    try {
      process = RunnerProcess.start(executable, settings);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot run " + executable + ": " + e.getMessage(), e);
    }
    accounts.restarts++;
    matrixLoaded = false;
    packedLoaded = null;
  }

  private Optional<Outcome> load(List<String> command) throws RunnerProcess.Death {
    RunnerProcess.Answer answer = process.ask(LOADING, command);
    if (answer instanceof RunnerProcess.Answer.Ok) {
      return Optional.empty();
    }
    return Optional.of(failed(answer));
  }

  private Outcome time(KernelCompiler.Compiled.Kernel kernel) throws RunnerProcess.Death {
    TimingSettings timing = settings.timing();
    // The checked run, then others until time is up, each of which may last as long as one may.
    double milliseconds = timing.maxTotalMs() + 3 * timing.maxMs();
    Duration limit = grace.plusNanos((long) (milliseconds * 1e6));
    RunnerProcess.Answer answer =
        process.ask(
            limit,
            List.of(
                "run",
                kernel.sharedObject().toString(),
                kernel.function(),
                Integer.toString(timing.warmups()),
                Integer.toString(timing.minRuns()),
                Integer.toString(timing.maxRuns()),
                Long.toString(Math.round(timing.minTotalMs() * 1e6)),
                Long.toString(Math.round(timing.maxTotalMs() * 1e6)),
                Long.toString(Math.round(timing.maxMs() * 1e6)),
                String.format(Locale.ROOT, "%.17g", settings.tolerance())));
    if (answer instanceof RunnerProcess.Answer.Ok ok) {
      return timed(ok.fields());
    }
    if (answer instanceof RunnerProcess.Answer.Failed failed && failed.reason().equals("open")) {
      return new Outcome.Failed(Failure.COMPILE_ERROR, failed.detail());
    }
    return failed(answer);
  }

  /** {@code ERROR LOAD_NS CHECK_NS RUN_NS RUNS NS_1 ... NS_RUNS}, checked strictly. */
  private Outcome timed(List<String> fields) throws RunnerProcess.Death {
    try {
      double error = Double.parseDouble(fields.get(0));
      long checkNanos = Long.parseLong(fields.get(2));
      long runNanos = Long.parseLong(fields.get(3));
      int runs = Integer.parseInt(fields.get(4));
      List<Double> milliseconds = new ArrayList<>(runs);
      long sum = 0;
      for (String nanos : fields.subList(5, fields.size())) {
        milliseconds.add(Long.parseLong(nanos) / 1e6);
        sum += Long.parseLong(nanos);
      }
      if (runs == milliseconds.size()
          && runs <= settings.timing().maxRuns()
          && error >= 0
          && error <= settings.tolerance()
          && checkNanos >= 0
          && runNanos >= sum) {
        Outcome outcome = new Outcome.Timed(milliseconds, error);
        accounts.checkNanos += checkNanos;
        accounts.runNanos += runNanos;
        return outcome;
      }
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      // No numbers, too few of them, or no times: as below.
      throw process.badAnswer(String.join(" ", fields));
    }
    throw process.badAnswer(String.join(" ", fields));
  }

  private static Outcome failed(RunnerProcess.Answer answer) {
    if (answer instanceof RunnerProcess.Answer.Wrong wrong) {
      return new Outcome.Failed(Failure.WRONG_RESULT, wrong.detail());
    }
    RunnerProcess.Answer.Failed failed = (RunnerProcess.Answer.Failed) answer;
    if (failed.reason().equals("memory")) {
      return new Outcome.Failed(Failure.OUT_OF_MEMORY, failed.detail());
    }
    // Not the schedule's fault: someone else's hand or a broken disk.
    throw new UncheckedIOException(
        new IOException("the work folder is not as it was left: " + failed.detail()));
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
      process = null;
    }
  }
}
