package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.codegen.KernelSource;
import autosparse.tuner.format.Packer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The child process: what it says to broken files and commands, and how it ends. */
final class RunnerProcessTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Op OP = Op.SDDMM;

  @TempDir Path folder;

  private final SparsityPattern matrix = HandWritten.matrix(20, 30, 0.3, 2);
  private MeasureSettings settings;
  private KernelCompiler compiler;
  private Path runner;
  private Path matrixFile;
  private Path packedFile;

  @BeforeEach
  void writeFiles() throws IOException {
    settings = HandWritten.settings(folder);
    Path work = Files.createDirectory(folder.resolve("work"));
    Toolchain toolchain = Toolchain.find("gcc");
    compiler = new KernelCompiler(toolchain, settings.compile(), settings.cacheFolder(), work);
    runner = compiler.runner();
    float[] values = RunnerFiles.madeUpValues(matrix, 1);
    matrixFile = work.resolve("matrix");
    RunnerFiles.matrix(matrix, values).write(matrixFile);
    packedFile = work.resolve("packed");
    RunnerFiles.packed(Packer.pack(matrix, values, HandWritten.schedules(OP, 1).get(0), problem()))
        .write(packedFile);
  }

  private Problem problem() {
    return Problem.of(OP, matrix).withDenseSize(5);
  }

  private KernelCompiler.Compiled.Kernel kernel(String code) {
    return (KernelCompiler.Compiled.Kernel)
        compiler.compile(List.of(new KernelSource("kernel", code))).get(0);
  }

  private List<String> loadMatrix() {
    return List.of("matrix", matrixFile.toString(), OP.id(), "5", "1");
  }

  private static List<String> run(KernelCompiler.Compiled.Kernel kernel) {
    return List.of(
        "run",
        kernel.sharedObject().toString(),
        kernel.function(),
        "0",
        "1",
        "2",
        "0",
        "0",
        "60000000000",
        "1e-4");
  }

  private Path pipe() throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    return pipe;
  }

  private static long pid(Path pipe) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(pipe)) {
      return Long.parseLong(reader.readLine());
    }
  }

  @Test
  void everyTruncationOfAFileIsRefusedAndTheNextCommandWorks() throws Exception {
    try (RunnerProcess process = RunnerProcess.start(runner, settings)) {
      for (Path file : List.of(matrixFile, packedFile)) {
        List<String> load =
            file.equals(matrixFile) ? loadMatrix() : List.of("packed", file.toString());
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length += length < 200 ? 8 : 61) {
          Files.write(file, Arrays.copyOf(whole, length));
          assertFileRefused(process.ask(LIMIT, load));
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertFileRefused(process.ask(LIMIT, load));
        Files.delete(file);
        assertFileRefused(process.ask(LIMIT, load));
        // Words of the header that lie: sizes and offsets out of the file.
        for (int word = 0; word < 9; word++) {
          byte[] lies = whole.clone();
          Arrays.fill(lies, word * 8, word * 8 + 7, (byte) 0x77);
          Files.write(file, lies);
          // As broken, or for want of memory where a wrong extent is believed.
          assertInstanceOf(RunnerProcess.Answer.Failed.class, process.ask(LIMIT, load));
        }
        Files.write(file, whole);
        assertInstanceOf(RunnerProcess.Answer.Ok.class, process.ask(LIMIT, load));
      }
      assertInstanceOf(
          RunnerProcess.Answer.Ok.class, process.ask(LIMIT, run(kernel(HandWritten.right(OP)))));
    }
  }

  private static void assertFileRefused(RunnerProcess.Answer answer) {
    RunnerProcess.Answer.Failed failed =
        assertInstanceOf(RunnerProcess.Answer.Failed.class, answer, answer::toString);
    assertEquals("file", failed.reason(), failed::toString);
  }

  @Test
  void aTruncatedFileIsNobodysOutcome() throws IOException {
    Files.write(packedFile, Arrays.copyOf(Files.readAllBytes(packedFile), 300));
    try (KernelRunner kernels =
        new KernelRunner(runner, settings, Duration.ofSeconds(1), new TimeAccounts())) {
      kernels.use(matrixFile, problem());
      KernelCompiler.Compiled.Kernel right = kernel(HandWritten.right(OP));
      UncheckedIOException e =
          assertThrows(UncheckedIOException.class, () -> kernels.run(packedFile, right));
      assertTrue(e.getMessage().contains(packedFile.toString()), e::getMessage);
    }
  }

  @Test
  void commandsThatAreNoneEndIt() throws IOException {
    for (List<String> command :
        List.of(
            List.of("dance"),
            List.of("packed", packedFile.toString()),
            List.of("matrix", matrixFile.toString(), "spmv", "0", "1"),
            List.of("run", "a", "b"))) {
      try (RunnerProcess process = RunnerProcess.start(runner, settings)) {
        RunnerProcess.Death death =
            assertThrows(RunnerProcess.Death.class, () -> process.ask(LIMIT, command));
        assertEquals(Failure.BAD_ANSWER, death.outcome().failure());
        assertTrue(death.outcome().detail().contains("refused"), death::getMessage);
        assertEquals(List.of(), HandWritten.members(process.pid()));
      }
    }
  }

  @Test
  void aProgramThatIsNoRunner() throws IOException {
    for (String script :
        List.of(
            "echo hello", "echo '1 ok'", "printf '1\\tok'", "exit 0", "yes | head -c 9000000")) {
      Path program = HandWritten.script(folder.resolve("program"), script, "cat >/dev/null");
      try (RunnerProcess process = RunnerProcess.start(program, settings)) {
        RunnerProcess.Death death =
            assertThrows(
                RunnerProcess.Death.class, () -> process.ask(Duration.ofSeconds(2), loadMatrix()));
        assertTrue(
            List.of(Failure.BAD_ANSWER, Failure.CRASH, Failure.TIMEOUT)
                .contains(death.outcome().failure()),
            death::getMessage);
      }
    }
  }

  @Test
  void killedInTheMiddleOfARun() throws Exception {
    Path pipe = pipe();
    KernelCompiler.Compiled.Kernel hangs = kernel(HandWritten.hangs(pipe));
    try (KernelRunner kernels =
        new KernelRunner(
            runner,
            settings.withTiming(new TimingSettings(0, 1, 2, 0, 600_000)),
            Duration.ofSeconds(1),
            new TimeAccounts())) {
      kernels.use(matrixFile, problem());
      CompletableFuture<Outcome> running =
          CompletableFuture.supplyAsync(() -> kernels.run(packedFile, hangs));
      long pid = pid(pipe);
      assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());
      Outcome.Failed failed =
          assertInstanceOf(Outcome.Failed.class, running.get(60, TimeUnit.SECONDS));
      assertEquals(Failure.CRASH, failed.failure());
      assertTrue(failed.detail().startsWith("signal 9 (SIGKILL"), failed::detail);
      assertInstanceOf(Outcome.Timed.class, kernels.run(packedFile, kernel(HandWritten.right(OP))));
    }
  }

  /** What happens to the child when this program is killed: its input closes. */
  @Test
  void endsInTheMiddleOfARunWhenNobodyHoldsItsInput() throws Exception {
    Path pipe = pipe();
    Process process = new ProcessBuilder(runner.toString(), "0").start();
    try {
      String commands =
          "1\t"
              + String.join("\t", loadMatrix())
              + "\n2\tpacked\t"
              + packedFile
              + "\n3\t"
              + String.join("\t", run(kernel(HandWritten.hangs(pipe))))
              + "\n";
      process.getOutputStream().write(commands.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      assertEquals(process.pid(), pid(pipe));
      process.getOutputStream().close();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertEquals(128 + 9, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }
}
