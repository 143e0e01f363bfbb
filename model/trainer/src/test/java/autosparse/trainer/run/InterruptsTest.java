package autosparse.trainer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptsTest {
  private Process job;
  private BufferedReader out;
  private BufferedReader err;

  private void start(String manner) throws IOException {
    job =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                InterruptedJob.class.getName(),
                manner)
            .start();
    out = new BufferedReader(new InputStreamReader(job.getInputStream(), StandardCharsets.UTF_8));
    err = new BufferedReader(new InputStreamReader(job.getErrorStream(), StandardCharsets.UTF_8));
    assertEquals("ready", out.readLine());
  }

  private void send(String signal) throws IOException, InterruptedException {
    Signals.send(signal, job);
  }

  @AfterEach
  void end() {
    if (job != null) {
      job.destroyForcibly();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void oneSignalLetsTheJobSave(String signal) throws Exception {
    start("polite");
    send(signal);
    assertTrue(err.readLine().startsWith("interrupted: "));
    assertEquals("saved", out.readLine());
    assertEquals(130, job.waitFor());
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    start("busy");
    send("INT");
    assertTrue(err.readLine().startsWith("interrupted: "));
    send("INT");
    assertNull(out.readLine());
    assertEquals(130, job.waitFor());
  }

  @Test
  void aFailureWhileSavingIsTold() throws Exception {
    start("failing");
    send("TERM");
    assertEquals("saved", out.readLine());
    assertEquals(1, job.waitFor());
  }

  @Test
  void aJobThatEndsByItselfIsNotHeldUp() throws Exception {
    start("done");
    assertEquals(0, job.waitFor());
    assertNull(err.readLine());
  }
}
