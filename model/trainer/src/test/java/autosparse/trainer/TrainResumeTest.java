package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.Checkpoint;
import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.costmodel.checkpoint.StoredTensor;
import autosparse.engine.Shape;
import autosparse.trainer.run.RunFolder;
import autosparse.trainer.run.Signals;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that end early, by a limit, a signal or a cut file, and go on bit for bit. */
@ExtendWith(TrainedRun.Once.class)
class TrainResumeTest {
  @TempDir Path folder;
  private final TrainedRun trained;
  private final Program program = new Program();

  TrainResumeTest(TrainedRun trained) {
    this.trained = trained;
  }

  @Test
  void aRunThatItsTimeLimitEndsIsReportedAndGoesOn() throws IOException {
    Path run = folder.resolve("limited");
    program.succeed(trained.train(run, "--time-limit", "1e-9"));
    assertTrue(program.err().contains("time limit reached after step 0"), program.err());
    assertTrue(program.out().contains("features-mlp"), program.out());
    assertTrue(program.out().contains("report: " + run), program.out());
    assertTrue(Files.exists(run.resolve("report.html")));
    assertEquals(List.of(0L), RunFolder.checkpointsOf(run).steps());
    program.succeed(List.of("train", "--out", run.toString(), "--resume", "--time-limit", "0"));
    trained.assertSameEnd(run);
  }

  @Test
  void aSecondRunNeedsAWord() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    byte[] metrics = Files.readAllBytes(run.resolve("metrics.jsonl"));
    program.refuse(trained.train(run), "--out", "--resume", "--force");
    assertArrayEquals(metrics, Files.readAllBytes(run.resolve("metrics.jsonl")));
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    trained.assertSameEnd(run);
    List<String> shorter = new ArrayList<>(trained.train(run, "--force"));
    shorter.set(shorter.indexOf("--epochs") + 1, "1");
    shorter.set(shorter.indexOf("--baseline-epochs") + 1, "0");
    program.succeed(shorter);
    assertEquals(
        TrainedRun.stepsOf(trained.folder()).size() / TrainedRun.EPOCHS,
        TrainedRun.stepsOf(run).size());
    assertEquals(1, RunFolder.checkpointsOf(run).steps().size());
    program.refuse(
        List.of("train", "--out", folder.resolve("none").toString(), "--resume"), "holds no run");
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "KILL"})
  void anEndedRunGoesOnBitForBit(String signal) throws Exception {
    Path run = folder.resolve("run");
    Process process = started(run);
    try {
      Signals.send(signal, process);
      process.getErrorStream().transferTo(java.io.OutputStream.nullOutputStream());
      assertEquals(signal.equals("KILL") ? 128 + 9 : 130, process.waitFor());
    } finally {
      process.destroyForcibly();
    }
    List<Long> steps = RunFolder.checkpointsOf(run).steps();
    assertTrue(
        steps.get(steps.size() - 1) < TrainedRun.stepsOf(trained.folder()).size(),
        "ended too late");
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    trained.assertSameEnd(run);
  }

  /** Starts the run as a process and returns when it has told of the end of the third epoch. */
  private Process started(Path run) throws IOException {
    Process process = new ProcessBuilder(Program.commandLine(trained.train(run))).start();
    BufferedReader err =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
    StringBuilder seen = new StringBuilder();
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      seen.append(line).append('\n');
      if (line.contains("epoch 3:")) {
        return process;
      }
    }
    throw new AssertionError("ended early: " + seen);
  }

  @Test
  void aCheckpointCutShortIsPassedOver() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    Path cut = TrainedRun.lastOf(run);
    byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, Arrays.copyOf(bytes, bytes.length / 2));
    List<String> evaluate =
        Program.join(List.of("evaluate"), trained.data().arguments("spmm").toArray(String[]::new));
    program.refuse(
        Program.join(evaluate, "--checkpoint", cut.toString()), cut.getFileName().toString());
    program.succeed(Program.join(evaluate, "--checkpoint", run.toString()));
    assertTrue(program.err().startsWith("warning: passing over a damaged checkpoint"));
    Path file = folder.resolve("weights.safetensors");
    List<String> export =
        List.of("export", "--checkpoint", run.toString(), "--out", file.toString());
    program.succeed(export);
    assertTrue(program.err().startsWith("warning: passing over a damaged checkpoint"));
    assertEquals(2, program.run(export));
    assertTrue(program.err().contains("--force replaces it"), program.err());
    program.succeed(Program.join(export, "--force"));
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertTrue(program.err().startsWith("warning: passing over a damaged checkpoint"));
    trained.assertSameEnd(run);
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    long newest = checkpoints.steps().get(2);
    Checkpoint own = checkpoints.read(newest);
    checkpoints.save(
        newest,
        Map.of("format", "other"),
        List.of(StoredTensor.floats("w", Shape.of(2), new float[2])),
        own.state());
    byte[] metrics = Files.readAllBytes(run.resolve("metrics.jsonl"));
    program.refuse(List.of("train", "--out", run.toString(), "--resume"), "not of this model");
    assertArrayEquals(metrics, Files.readAllBytes(run.resolve("metrics.jsonl")));
    program.refuse(
        Program.join(
            Program.join(
                List.of("evaluate"), trained.data().arguments("spmm").toArray(String[]::new)),
            "--checkpoint",
            own.tensors().toString()),
        "expected a model of AutoSparse Net");
    program.refuse(
        List.of("train", "--out", run.toString(), "--resume", "--channels", "16"),
        "--channels 16",
        "was started with 8");
  }

  @ParameterizedTest
  @ValueSource(strings = {"feature-bins", "ema"})
  void aRunFromBeforeAnOptionGoesOnWithoutIt(String option) throws IOException {
    Path run = folder.resolve("run");
    List<String> first = new ArrayList<>(trained.train(run, "--" + option, "0"));
    first.set(first.indexOf("--epochs") + 1, "1");
    program.succeed(first);
    byte[] weights = Files.readAllBytes(TrainedRun.lastOf(run));
    Path config = run.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    List<String> older = lines.stream().filter(line -> !line.startsWith(option + ":")).toList();
    assertEquals(lines.size() - 1, older.size());
    Files.write(config, older);
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertArrayEquals(weights, Files.readAllBytes(TrainedRun.lastOf(run)));
    program.refuse(
        List.of("train", "--out", run.toString(), "--resume", "--" + option, "1"),
        "--" + option + " 1",
        "was started with 0");
  }

  @Test
  void otherDataThanTheRunsIsRefused() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    TinyDataSet other = TinyDataSet.write(folder.resolve("other"));
    Path records = other.records().resolve("spmm/m0.txt");
    List<String> lines = Files.readAllLines(records);
    Files.write(records, lines.subList(0, lines.size() - 5));
    program.refuse(
        List.of("train", "--out", run.toString(), "--resume", "--data", other.records().toString()),
        "--data",
        "is not what the run");
  }

  @Test
  void anotherMatrixThanTheRunsIsRefused() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    TinyDataSet other = TinyDataSet.write(folder.resolve("other"));
    List<String> resume =
        List.of(
            "train",
            "--out",
            run.toString(),
            "--resume",
            "--matrices",
            other.matrices().toString());
    // As many rows, columns and nonzeros: one of the last row's lies elsewhere.
    Path matrix = other.matrices().resolve("m1.csr");
    byte[] whole = Files.readAllBytes(matrix);
    byte[] changed = whole.clone();
    changed[changed.length - Integer.BYTES]--;
    Files.write(matrix, changed);
    byte[] metrics = Files.readAllBytes(run.resolve("metrics.jsonl"));
    program.refuse(resume, "--matrices: " + matrix + " is not the matrix that the run in " + run);
    assertArrayEquals(metrics, Files.readAllBytes(run.resolve("metrics.jsonl")));
    // The same matrix in another folder and as another kind of file is the same.
    Files.delete(matrix);
    program.succeed(
        List.of(
            "generate",
            "--kind=resize",
            "--shape=40x40",
            "--matrix=" + trained.data().matrices().resolve("m1.csr"),
            "--out=" + other.matrices().resolve("m1.mtx")));
    program.succeed(resume);
    trained.assertSameEnd(run);
  }

  /** Of a run from before matrices were hashed nobody can tell: it goes on, and says so. */
  @Test
  void aRunThatDoesNotSayWhatItsMatricesWereGoesOn() throws IOException {
    Path run = trained.copyTo(folder.resolve("copy"));
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    for (long step : checkpoints.steps()) {
      Path state =
          Path.of(checkpoints.read(step).tensors().toString().replace(".safetensors", ".json"));
      JsonNode root = new ObjectMapper().readTree(state.toFile());
      ((ObjectNode) root.get("state")).remove("matrices");
      Files.writeString(state, root.toString());
    }
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertTrue(program.err().startsWith("warning: " + run + " does not say what"), program.err());
    trained.assertSameEnd(run);
  }
}
