package autosparse.tuner.measure;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Child processes in sessions of their own, so that a process and all that it started can be ended
 * together, and Ctrl-C in the terminal reaches none of them.
 */
final class ChildProcess {
  /** How long a killed process may take to be gone. */
  private static final Duration DEATH = Duration.ofSeconds(10);

  private ChildProcess() {}

  /**
   * What came of a program.
   *
   * @param exitCode 128 + the signal's number where a signal ended it
   * @param output standard output and standard error, the first 16 KB
   * @param timedOut whether it was ended because its time was up
   */
  record Result(int exitCode, String output, boolean timedOut) {
    /** Exit code and first line of output. */
    String brief() {
      return "exit code " + exitCode + ", " + OutputDrain.firstLine(output).orElse("no output");
    }
  }

  /**
   * Runs a program to its end, or kills it and its children when its time is up.
   *
   * @param environment variables set for it beside those of this process
   * @throws IOException if it cannot be started
   * @throws InterruptedIOException if this thread is interrupted; the program is then killed
   */
  static Result run(List<String> command, Duration limit, Map<String, String> environment)
      throws IOException {
    List<String> session = new ArrayList<>(List.of("setsid"));
    session.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(session).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    boolean ended = false;
    try {
      process.getOutputStream().close();
      OutputDrain output = OutputDrain.of(process.getInputStream());
      ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        killGroup(process);
      }
      output.await(DEATH);
      return new Result(process.waitFor(), output.text(), !ended);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    } finally {
      if (!ended) {
        killGroup(process);
      }
    }
  }

  /**
   * Kills a process that leads its session, with all in its process group, and waits for it.
   *
   * @throws UncheckedIOException if that cannot be done, which leaves processes behind
   */
  static void killGroup(Process process) {
    boolean interrupted = Thread.interrupted();
    try {
      // The group first: it is known by its leader.
      Process kill =
          new ProcessBuilder("sh", "-c", "kill -s KILL -- -" + process.pid())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      kill.waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS);
      process.destroyForcibly();
      if (!process.waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("it does not die");
      }
    } catch (IOException e) {
      process.destroyForcibly();
      throw new UncheckedIOException("process " + process.pid() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    InterruptedIOException e = new InterruptedIOException("interrupted");
    e.initCause(cause);
    return e;
  }
}
