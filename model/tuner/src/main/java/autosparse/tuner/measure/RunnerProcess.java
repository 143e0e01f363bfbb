package autosparse.tuner.measure;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The child process that runs kernels (runner.c): commands go in, answers come out, a line each.
 * One thread. After a {@link Death} nothing is left of it.
 */
final class RunnerProcess implements AutoCloseable {
  /** What the process answered; it lives on. */
  sealed interface Answer {
    /** Done; the fields of the answer. */
    record Ok(List<String> fields) implements Answer {}

    /** The kernel's result is not right. */
    record Wrong(String detail) implements Answer {}

    /** Could not be done: {@code memory}, {@code open} (a shared object) or {@code file}. */
    record Failed(String reason, String detail) implements Answer {}
  }

  /** The process is gone, by itself or because it had to be killed. */
  static final class Death extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient Outcome.Failed outcome;

    Death(Failure failure, String detail) {
      super(failure.id() + ": " + detail);
      outcome = new Outcome.Failed(failure, detail);
    }

    /** What to record for the schedule that was being measured. */
    Outcome.Failed outcome() {
      return outcome;
    }
  }

  /** Longest answer: that with the most times a run may ask for. */
  private static final int MAX_LINE = 256 + 21 * TimingSettings.MAX_RUNS;

  /** How long the process may take to end once its output has. */
  private static final Duration DEATH = Duration.ofSeconds(5);

  private static final String END = "";

  private final Process process;
  private final OutputStream commands;
  private final OutputDrain errors;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private long sequence;

  private RunnerProcess(Process process) {
    this.process = process;
    this.commands = process.getOutputStream();
    this.errors = OutputDrain.of(process.getErrorStream());
    Thread reader = new Thread(() -> read(process.getInputStream()), "runner-answers");
    reader.setDaemon(true);
    reader.start();
  }

  /** Starts the process. */
  static RunnerProcess start(Path executable, MeasureSettings settings) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(executable.toString(), Long.toString(settings.memoryLimitBytes()));
    Map<String, String> environment = builder.environment();
    // The user's own settings of OpenMP would change what is measured.
    environment
        .keySet()
        .removeIf(
            name -> name.startsWith("OMP_") || name.startsWith("GOMP_") || name.startsWith("KMP_"));
    environment.put("OMP_NUM_THREADS", Integer.toString(settings.threads()));
    environment.put("OMP_DYNAMIC", "false");
    environment.put("OMP_PROC_BIND", "close");
    environment.put("OMP_PLACES", "cores");
    // Each further arena reserves 64 MB of address space, of which there is a limited amount.
    environment.put("MALLOC_ARENA_MAX", "1");
    return new RunnerProcess(builder.start());
  }

  private void read(InputStream stream) {
    StringBuilder line = new StringBuilder();
    byte[] buffer = new byte[8192];
    try (stream) {
      for (int read = stream.read(buffer); read >= 0; read = stream.read(buffer)) {
        for (int n = 0; n < read; n++) {
          if (buffer[n] == '\n') {
            answers.add(line + "\n");
            line.setLength(0);
          } else if (line.length() < MAX_LINE) {
            line.append((char) (buffer[n] & 0xff));
          }
        }
      }
    } catch (IOException e) {
      // As at the end of the stream: the process was killed while being read.
      line.setLength(0);
    }
    answers.add(END);
  }

  /** Process number, which is also that of its group. */
  long pid() {
    return process.pid();
  }

  /**
   * Gives a command and waits for the answer.
   *
   * @param limit how long it may take
   * @param command name and arguments, none with control characters
   * @throws Death if the process ended, did not answer in time, or what it said is no answer
   */
  Answer ask(Duration limit, List<String> command) throws Death {
    sequence++;
    errors.clear();
    if (!answers.isEmpty()) {
      throw ended(answers.remove());
    }
    try {
      commands.write(
          (sequence + "\t" + String.join("\t", command) + "\n").getBytes(StandardCharsets.UTF_8));
      commands.flush();
    } catch (IOException e) {
      throw crashed();
    }
    String line;
    try {
      line = answers.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
      throw new IllegalStateException("interrupted while a kernel was running", e);
    }
    if (line == null) {
      kill();
      throw new Death(
          Failure.TIMEOUT, "no answer to '" + command.get(0) + "' in " + limit.toMillis() + " ms");
    }
    return parse(line);
  }

  private Answer parse(String line) throws Death {
    List<String> fields = List.of(line.strip().split("\t", -1));
    if (!line.endsWith("\n")
        || fields.size() < 3
        || !fields.get(0).equals(Long.toString(sequence))
        || line.length() > MAX_LINE) {
      throw ended(line);
    }
    List<String> rest = fields.subList(2, fields.size());
    return switch (fields.get(1)) {
      case "ok" -> new Answer.Ok(rest);
      case "wrong" -> new Answer.Wrong(detail(rest));
      case "failed" -> new Answer.Failed(rest.get(0), detail(rest.subList(1, rest.size())));
      case "died" -> throw died(rest);
      default -> throw ended(line);
    };
  }

  private Death died(List<String> rest) {
    kill();
    String detail = detail(rest.subList(1, rest.size()));
    return switch (rest.get(0)) {
      case "timeout" -> new Death(Failure.TIMEOUT, detail);
      case "memory" -> new Death(Failure.OUT_OF_MEMORY, detail);
      default -> badAnswer(String.join(" ", rest));
    };
  }

  /** The end of the output, or a line that is no answer. */
  private Death ended(String line) {
    if (line.equals(END)) {
      return crashed();
    }
    kill();
    return badAnswer(line);
  }

  /** Kills what is left and says that the last answer is none. */
  Death badAnswer(String answer) {
    kill();
    return new Death(Failure.BAD_ANSWER, "'" + OutputDrain.printable(answer) + "'");
  }

  private Death crashed() {
    boolean ended = false;
    try {
      ended = process.waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS);
      errors.await(DEATH);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    int code = ended ? process.exitValue() : 0;
    kill();
    if (!ended) {
      return new Death(Failure.CRASH, "closed its output and went on");
    }
    String said = errors.firstLine().map(text -> ": " + text).orElse("");
    if (code > 128) {
      return new Death(Failure.CRASH, "signal " + signal(code - 128) + said);
    }
    // libgomp and the C library say so and exit where they cannot go on.
    boolean memory =
        code != 0
            && errors
                .text()
                .matches("(?is).*(out of memory|cannot allocate memory|thread creation failed).*");
    return new Death(memory ? Failure.OUT_OF_MEMORY : Failure.CRASH, "exit code " + code + said);
  }

  private static String signal(int number) {
    String name =
        switch (number) {
          case 4 -> " (SIGILL)";
          case 6 -> " (SIGABRT)";
          case 7 -> " (SIGBUS)";
          case 8 -> " (SIGFPE)";
          case 9 -> " (SIGKILL: perhaps the system was out of memory)";
          case 11 -> " (SIGSEGV)";
          case 15 -> " (SIGTERM)";
          default -> "";
        };
    return number + name;
  }

  private static String detail(List<String> fields) {
    return OutputDrain.printable(String.join(" ", fields));
  }

  private void kill() {
    ChildProcess.killGroup(process);
  }

  @Override
  public void close() {
    kill();
  }
}
