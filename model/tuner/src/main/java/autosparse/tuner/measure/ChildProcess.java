package autosparse.tuner.measure;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
   * @throws IOException if it cannot be started
   * @throws InterruptedIOException if this thread is interrupted; the program is then killed
   */
  static Result run(List<String> command, Duration limit) throws IOException {
    List<String> session = new ArrayList<>(List.of("setsid"));
    session.addAll(command);
    Process process = new ProcessBuilder(session).redirectErrorStream(true).start();
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

  /** Kills a process that leads its session, with all in its process group, and waits for it. */
  static void killGroup(Process process) throws IOException {
    // The group first: with its leader gone, nobody would know its number.
    Process kill =
        new ProcessBuilder("sh", "-c", "kill -s KILL -- -" + process.pid())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    boolean interrupted = false;
    try {
      kill.waitFor();
    } catch (InterruptedException e) {
      interrupted = true;
    }
    process.destroyForcibly();
    try {
      if (!process.waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("process " + process.pid() + " does not die");
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    InterruptedIOException e = new InterruptedIOException("interrupted");
    e.initCause(cause);
    return e;
  }
}
