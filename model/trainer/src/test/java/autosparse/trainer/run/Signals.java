package autosparse.trainer.run;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Signals to child processes. */
public final class Signals {
  private static final int SIGINT_BIT = 2;

  private Signals() {}

  /**
   * Sends a signal; the test is skipped where children cannot receive it.
   *
   * @param signal INT, TERM or KILL
   */
  public static void send(String signal, Process process) throws IOException, InterruptedException {
    Path status = Path.of("/proc/self/status");
    assumeTrue(Files.exists(status), "signals are tested on Linux");
    long ignored =
        Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
            .sum();
    assumeTrue(
        !signal.equals("INT") || (ignored & SIGINT_BIT) == 0,
        "started with SIGINT ignored, as in nohup");
    new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start().waitFor();
  }
}
