package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.Checkpoint;
import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.checkpoint.SafetensorsFile;
import autosparse.costmodel.checkpoint.StoredTensor;
import autosparse.engine.Shape;
import autosparse.trainer.run.MetricsLog;
import autosparse.trainer.run.ResultsFile;
import autosparse.trainer.run.RunFolder;
import autosparse.trainer.run.Signals;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands from end to end, on a data set of a few hundred lines. */
class TrainCommandTest {
  private static final int EPOCHS = 12;

  @TempDir static Path shared;
  private static TinyDataSet data;

  /** A run to its end, by nothing interrupted; tests must leave it as it is. */
  private static Path whole;

  @TempDir Path folder;
  private final Program program = new Program();

  @BeforeAll
  static void trainOnce() throws IOException {
    data = TinyDataSet.write(shared);
    whole = shared.resolve("runs/whole");
    Program program = new Program();
    program.succeed(train(whole));
    assertTrue(program.out().contains("features-mlp"), program.out());
    assertTrue(program.out().contains("report: " + whole), program.out());
  }

  private static List<String> train(Path run, String... more) {
    List<String> arguments =
        Program.join(
            Program.join(List.of("train"), data.arguments("spmm,spmv").toArray(String[]::new)),
            "--channels",
            "8",
            "--epochs",
            String.valueOf(EPOCHS),
            "--batch",
            "16",
            "--baseline-epochs",
            "1",
            "--evaluate-every",
            "1",
            "--checkpoint-every",
            "1",
            "--threads",
            "1",
            "--seed",
            "3",
            "--out",
            run.toString());
    return Program.join(arguments, more);
  }

  private static Path last(Path run) {
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    List<Long> steps = checkpoints.steps();
    return checkpoints.read(steps.get(steps.size() - 1)).tensors();
  }

  private static List<Long> trainedSteps(Path run) {
    return MetricsLog.read(run.resolve("metrics.jsonl")).stream()
        .filter(entry -> entry.kind() == MetricsLog.Kind.TRAIN)
        .map(MetricsLog.Entry::step)
        .toList();
  }

  private static void assertSameEnd(Path run) throws IOException {
    assertEquals(last(whole).getFileName(), last(run).getFileName());
    assertArrayEquals(Files.readAllBytes(last(whole)), Files.readAllBytes(last(run)));
    assertEquals(trainedSteps(whole), trainedSteps(run));
    assertTrue(Files.exists(run.resolve("report.html")));
  }

  /** A copy of the whole run that a test may damage. */
  private Path copyOfWhole() throws IOException {
    Path copy = folder.resolve("copy");
    try (Stream<Path> files = Files.walk(whole)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(whole.relativize(file).toString()));
      }
    }
    return copy;
  }

  private static long number(String text, String before, String after) {
    int start = text.indexOf(before) + before.length();
    assertTrue(start >= before.length(), text);
    return Long.parseLong(text.substring(start, text.indexOf(after, start)));
  }

  /**
   * Not even the weights fit 64k: said before anything is written, with the budget that would do.
   */
  @Test
  void aBudgetThatIsTooSmallNamesTheSmallestThatWorks() {
    Path run = folder.resolve("small");
    List<String> once = once(run, 0);
    program.refuse(
        Program.join(once, "--memory-budget", "64k"),
        "--memory-budget: a step on [m",
        "weights, gradients and optimiser",
        "the device's range has 65536");
    assertTrue(Files.notExists(run), "nothing is left behind");
    long enough = number(program.err(), "raise --memory-budget to ", " or more");
    for (int round = 0; round < 3 && program.run(with(once, enough)) != 0; round++) {
      // Other groups of matrices, or judging, ask for a little more.
      enough = number(program.err(), "raise --memory-budget to ", " or more");
      assertTrue(Files.notExists(run), program.err());
    }
    assertTrue(Files.exists(run.resolve("report.html")), program.err());
    Path less = folder.resolve("less");
    program.refuse(with(once(less, 0), enough - 256), "--memory-budget", " to " + enough + " or");
    assertTrue(Files.notExists(less), "nothing is left behind");
  }

  /** One epoch. */
  private static List<String> once(Path run, int baselineEpochs) {
    List<String> arguments = train(run);
    arguments.set(arguments.indexOf("--epochs") + 1, "1");
    arguments.set(arguments.indexOf("--baseline-epochs") + 1, String.valueOf(baselineEpochs));
    return arguments;
  }

  private static List<String> with(List<String> arguments, long budget) {
    return Program.join(arguments, "--memory-budget", String.valueOf(budget));
  }

  /** The baseline is planned beside the model, not found to be too large after hours. */
  @Test
  void aBaselineThatDoesNotFitIsRefusedAtTheStart() {
    Path run = folder.resolve("beside");
    List<String> alone = once(run, 0);
    program.refuse(Program.join(alone, "--memory-budget", "64k"), "--memory-budget");
    long enough = number(program.err(), "raise --memory-budget to ", " or more");
    program.refuse(with(once(run, 1), enough + (1 << 16)), "--baseline-epochs 0 leaves out");
    assertTrue(Files.notExists(run), "nothing is left behind");
  }

  @Test
  void modelsWithoutATowerArePlannedToo() {
    Path run = folder.resolve("features");
    program.refuse(
        train(run, "--model", "features-mlp", "--memory-budget", "64k"),
        "--memory-budget: a step on [m",
        "raise --memory-budget to");
    assertTrue(Files.notExists(run), "nothing is left behind");
  }

  @Test
  void evaluateAndRankFitASmallBudgetAndGiveTheSame() throws IOException {
    List<String> evaluate =
        Program.join(
            Program.join(
                List.of("evaluate", "--checkpoint", whole.toString(), "--device", "cpu"),
                data.arguments("spmm,spmv").toArray(String[]::new)),
            "--threads",
            "1");
    givesTheSameWithinTheSmallestBudget(evaluate);
    List<String> rank =
        List.of(
            "rank",
            "--checkpoint",
            whole.toString(),
            "--matrix",
            data.matrices().resolve("m1.csr").toString(),
            "--schedules",
            data.records().resolve("spmm/m1.txt").toString(),
            "--device",
            "cpu",
            "--threads",
            "1");
    givesTheSameWithinTheSmallestBudget(rank);
  }

  private void givesTheSameWithinTheSmallestBudget(List<String> arguments) {
    program.succeed(arguments);
    String plenty = program.out();
    program.refuse(
        Program.join(arguments, "--memory-budget", "64k"), "--memory-budget", " of weights");
    int exitCode = 2;
    for (int round = 0; round < 5 && exitCode == 2; round++) {
      // Each pass that does not fit names what would do for it.
      long enough = number(program.err(), "raise --memory-budget to ", " or more");
      exitCode = program.run(with(arguments, enough));
    }
    assertEquals(0, exitCode, program.err());
    assertEquals(plenty, program.out());
  }

  @Test
  void aRunThatItsTimeLimitEndsIsReportedAndGoesOn() throws IOException {
    Path run = folder.resolve("limited");
    program.succeed(train(run, "--time-limit", "1e-9"));
    assertTrue(program.err().contains("time limit reached after step 0"), program.err());
    assertTrue(program.out().contains("features-mlp"), program.out());
    assertTrue(program.out().contains("report: " + run), program.out());
    assertTrue(Files.exists(run.resolve("report.html")));
    assertEquals(List.of(0L), RunFolder.checkpointsOf(run).steps());
    program.succeed(List.of("train", "--out", run.toString(), "--resume", "--time-limit", "0"));
    assertSameEnd(run);
  }

  @Test
  void aLossThatIsNoNumberEndsTheRun() throws IOException {
    Path run = folder.resolve("diverged");
    // The first step leaves weights of 1e30 and more, whose products overflow in the second.
    assertEquals(2, program.run(train(run, "--lr", "1", "--weight-decay", "1e30", "--clip", "0")));
    String error = program.err();
    assertTrue(error.contains(": the loss is NaN; a lower --lr"), error);
    assertEquals(List.of(), RunFolder.checkpointsOf(run).steps());
  }

  @Test
  void theRunFolderIsComplete() throws IOException {
    ObjectMapper json = new ObjectMapper();
    assertEquals(3, json.readTree(whole.resolve("env.json").toFile()).path("seed").asInt());
    Map<String, Object> config = RunFolder.readConfig(whole);
    assertEquals("8", String.valueOf(config.get("channels")));
    // Not the word auto, but what it stood for on this machine.
    assertTrue(List.of("fp32", "bf16").contains(config.get("precision")), config::toString);
    assertEquals(
        config.get("precision"),
        json.readTree(whole.resolve("env.json").toFile()).path("precision").asText());
    String report = Files.readString(whole.resolve("report.html"));
    for (String text : List.of("<svg", "features-mlp", "</html>")) {
      assertTrue(report.contains(text), text);
    }
    try (Stream<Path> files = Files.list(whole)) {
      assertTrue(files.anyMatch(file -> file.getFileName().toString().startsWith("events.out.")));
    }
    List<Long> steps = trainedSteps(whole);
    assertEquals(LongStream.rangeClosed(1, steps.size()).boxed().toList(), steps);
    assertEquals(0, steps.size() % EPOCHS);
    List<MetricsLog.Entry> evaluations =
        MetricsLog.read(whole.resolve("metrics.jsonl")).stream()
            .filter(entry -> entry.kind() == MetricsLog.Kind.EVALUATE)
            .toList();
    assertEquals(EPOCHS, evaluations.size());
    assertNotNull(evaluations.get(0).values().get("pair_accuracy"));
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(whole);
    assertEquals(3, checkpoints.steps().size(), "three are kept");
    checkpoints.steps().forEach(checkpoints::read);
    assertEquals((long) steps.size(), checkpoints.steps().get(2));
  }

  @Test
  void evaluateRankAndExport() throws IOException {
    List<String> evaluate =
        Program.join(
            Program.join(List.of("evaluate"), data.arguments("spmm").toArray(String[]::new)),
            "--split-seed",
            "3",
            "--checkpoint");
    program.succeed(Program.join(evaluate, whole.toString()));
    String judged = program.out();
    program.succeed(List.of("evaluate", "--checkpoint", whole.toString(), "--op", "spmm"));
    assertEquals(judged, program.out(), "a run is judged on its own split");
    for (String text : List.of("autosparse", "features-mlp", "random", "blind")) {
      assertTrue(judged.contains(text), text + " in " + judged);
    }
    program.succeed(
        List.of(
            "rank",
            "--checkpoint",
            whole.toString(),
            "--matrix",
            data.matrices().resolve("m1.csr").toString(),
            "--schedules",
            data.records().resolve("spmm/m1.txt").toString(),
            "--top",
            "4"));
    assertEquals(5, program.out().lines().count(), program.out());
    List<String> known = Files.readAllLines(data.records().resolve("spmm/m1.txt"));
    double before = Double.POSITIVE_INFINITY;
    for (String line : program.out().lines().skip(1).toList()) {
      String[] words = line.strip().split(" +", 3);
      assertTrue(Double.parseDouble(words[1]) <= before, program.out());
      before = Double.parseDouble(words[1]);
      assertTrue(known.stream().anyMatch(record -> record.startsWith(words[2] + " ")), words[2]);
    }
    Path file = folder.resolve("weights.safetensors");
    program.succeed(List.of("export", "--checkpoint", whole.toString(), "--out", file.toString()));
    try (SafetensorsFile weights = SafetensorsFile.open(file);
        SafetensorsFile checkpoint = SafetensorsFile.open(last(whole))) {
      assertTrue(weights.tensors().size() > 20);
      assertTrue(
          weights.tensors().stream().noneMatch(t -> t.name().startsWith(ModelFile.OPTIMIZER)));
      assertEquals(4 * weights.tensors().size(), checkpoint.tensors().size());
      assertArrayEquals(
          checkpoint.floats("encoder.output.bias"), weights.floats("encoder.output.bias"));
    }
    program.succeed(Program.join(evaluate, file.toString()));
    String withoutBaseline =
        judged.lines().skip(1).filter(line -> line.contains("this model")).findFirst().orElse("");
    assertTrue(program.out().contains(withoutBaseline.strip()), program.out());
  }

  @Test
  void aSecondRunNeedsAWord() throws IOException {
    Path run = copyOfWhole();
    byte[] metrics = Files.readAllBytes(run.resolve("metrics.jsonl"));
    program.refuse(train(run), "--out", "--resume", "--force");
    assertArrayEquals(metrics, Files.readAllBytes(run.resolve("metrics.jsonl")));
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertSameEnd(run);
    List<String> shorter = new ArrayList<>(train(run, "--force"));
    shorter.set(shorter.indexOf("--epochs") + 1, "1");
    shorter.set(shorter.indexOf("--baseline-epochs") + 1, "0");
    program.succeed(shorter);
    assertEquals(trainedSteps(whole).size() / EPOCHS, trainedSteps(run).size());
    assertEquals(1, RunFolder.checkpointsOf(run).steps().size());
    program.refuse(
        List.of("train", "--out", folder.resolve("none").toString(), "--resume"), "holds no run");
  }

  /** Starts the run as a process and returns when it has told of the end of the third epoch. */
  private static Process started(Path run) throws IOException {
    Process process = new ProcessBuilder(Program.commandLine(train(run))).start();
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
    assertTrue(steps.get(steps.size() - 1) < trainedSteps(whole).size(), "ended too late");
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertSameEnd(run);
  }

  @Test
  void aCheckpointCutShortIsPassedOver() throws IOException {
    Path run = copyOfWhole();
    Path cut = last(run);
    byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, Arrays.copyOf(bytes, bytes.length / 2));
    List<String> evaluate =
        Program.join(List.of("evaluate"), data.arguments("spmm").toArray(String[]::new));
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
    assertSameEnd(run);
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() throws IOException {
    Path run = copyOfWhole();
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
            Program.join(List.of("evaluate"), data.arguments("spmm").toArray(String[]::new)),
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
    List<String> first = new ArrayList<>(train(run, "--" + option, "0"));
    first.set(first.indexOf("--epochs") + 1, "1");
    program.succeed(first);
    byte[] weights = Files.readAllBytes(last(run));
    Path config = run.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    List<String> older = lines.stream().filter(line -> !line.startsWith(option + ":")).toList();
    assertEquals(lines.size() - 1, older.size());
    Files.write(config, older);
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertArrayEquals(weights, Files.readAllBytes(last(run)));
    program.refuse(
        List.of("train", "--out", run.toString(), "--resume", "--" + option, "1"),
        "--" + option + " 1",
        "was started with 0");
  }

  /** What evaluate finds of a saved run is what the run itself said at its end. */
  @Test
  void theWeightsThatAreSavedAreThoseThatWereJudged() {
    program.succeed(List.of("evaluate", "--checkpoint", whole.toString()));
    for (ResultsFile.Result result : ResultsFile.read(RunFolder.resultsOf(whole))) {
      if (result.who().equals("autosparse")) {
        String row =
            String.format(
                Locale.ROOT,
                "%-8s%-24s%10d%8.3f%8.3f%8.3f",
                result.op(),
                result.matrix(),
                result.schedules(),
                result.topOne(),
                result.topFive(),
                result.pairAccuracy());
        assertTrue(program.out().contains(row), row + " in " + program.out());
      }
    }
  }

  /** The checkpoint's hash of what was trained on and held out. */
  private static String heldOut(Path run) {
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    return checkpoints.read(checkpoints.steps().get(0)).state().path("data").asText();
  }

  @Test
  void seedsShareASplitWhereItHasItsOwn() throws IOException {
    List<String> other = once(folder.resolve("other"), 0);
    other.set(other.indexOf("--seed") + 1, "4");
    program.succeed(other);
    List<String> same = once(folder.resolve("same"), 0);
    same.set(same.indexOf("--seed") + 1, "4");
    program.succeed(Program.join(same, "--split-seed", "3"));
    assertNotEquals(heldOut(whole), heldOut(folder.resolve("other")));
    assertEquals(heldOut(whole), heldOut(folder.resolve("same")));
    assertEquals("3", String.valueOf(RunFolder.readConfig(whole).get("split-seed")));
    assertEquals(
        "3", String.valueOf(RunFolder.readConfig(folder.resolve("same")).get("split-seed")));
  }

  @Test
  void aRunFromBeforeSplitsHadSeedsIsJudgedOnItsOwnSplit() throws IOException {
    program.succeed(List.of("evaluate", "--checkpoint", whole.toString()));
    String judged = program.out();
    Path run = copyOfWhole();
    Path config = run.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    List<String> older = lines.stream().filter(line -> !line.startsWith("split-seed:")).toList();
    assertEquals(lines.size() - 1, older.size());
    Files.write(config, older);
    program.succeed(List.of("evaluate", "--checkpoint", run.toString()));
    assertEquals(judged.lines().skip(1).toList(), program.out().lines().skip(1).toList());
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    assertSameEnd(run);
  }

  @Test
  void otherDataThanTheRunsIsRefused() throws IOException {
    Path run = copyOfWhole();
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
  void brokenInputIsOneLineAndLeavesNoFolder() throws IOException {
    TinyDataSet broken = TinyDataSet.write(folder.resolve("broken"));
    Path run = folder.resolve("deep/run");
    List<String> command =
        Program.join(
            Program.join(List.of("train"), broken.arguments("spmm").toArray(String[]::new)),
            "--out",
            run.toString());
    Path records = broken.records().resolve("spmm/m1.txt");
    List<String> lines = Files.readAllLines(records);
    for (String[] change :
        new String[][] {
          {"A 4 i0 0", "A 4 i0 9", "mode"},
          {"A 4 i0 0", "A 4 q0 0", "q0"},
          {" 0 8 ", " 0 x ", "threads"},
          {" None None 0 ", " None ", "m1.txt:3"},
        }) {
      List<String> changed = new ArrayList<>(lines);
      String line = lines.get(2);
      int at = line.lastIndexOf(change[0]);
      assertTrue(at >= 0, line);
      changed.set(2, line.substring(0, at) + change[1] + line.substring(at + change[0].length()));
      Files.write(records, changed);
      program.refuse(command, "m1.txt:3", change[2]);
    }
    Files.write(records, lines);
    Path matrix = broken.matrices().resolve("m1.csr");
    byte[] csr = Files.readAllBytes(matrix);
    for (int length : new int[] {0, 8, 12, csr.length - 4}) {
      Files.write(matrix, Arrays.copyOf(csr, length));
      program.refuse(command, "m1.csr", "truncated");
    }
    Files.delete(matrix);
    program.refuse(command, "m1.txt", "m1 is missing");
    Path market = broken.matrices().resolve("m1.mtx");
    String banner = "%%MatrixMarket matrix coordinate pattern general\n";
    for (String text :
        List.of("", "3 3 1\n1 1\n", banner + "3 3\n", banner + "3 3 2\n1 1\n9 1\n", banner)) {
      Files.writeString(market, text);
      program.refuse(command, "m1.mtx");
    }
    Path published = Path.of(System.getProperty("autosparse.shared", "../shared"), "data/mtx");
    for (String name :
        List.of("mangled1.mtx", "mangled4.mtx", "mangled7.mtx", "west0067_noheader.mtx")) {
      if (Files.exists(published.resolve(name))) {
        Files.write(market, Files.readAllBytes(published.resolve(name)));
        program.refuse(command, "m1.mtx");
      } else {
        System.err.println("left out: no " + published.resolve(name));
      }
    }
    assertTrue(Files.notExists(run.getParent()), "nothing written");
  }

  @Test
  void anUnwritableFolderIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    program.refuse(train(file.resolve("run")), "--out: cannot write to");
    program.refuse(train(Path.of("/proc/run")), "--out: cannot write to /proc/run");
    assertEquals("mine", Files.readString(file));
  }

  @Test
  void aFullDiskLeavesTheOlderCheckpoint() throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    String mount = "mount -t tmpfs -o size=16m tmpfs '" + disk + "'";
    String reason = "skipped: no small tmpfs to be had by unshare -rm";
    boolean possible;
    try {
      possible = new ProcessBuilder("unshare", "-rm", "sh", "-c", mount).start().waitFor() == 0;
    } catch (IOException e) {
      possible = false;
    }
    if (!possible) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(possible, reason);
    Path run = disk.resolve("run");
    // Without bins one checkpoint fits on the disk and a second one does not.
    String train = quoted(Program.commandLine(train(run, "--feature-bins", "0")));
    String evaluate =
        quoted(
            Program.commandLine(
                Program.join(
                    Program.join(
                        List.of("evaluate"), data.arguments("spmm").toArray(String[]::new)),
                    "--checkpoint",
                    run.toString())));
    String script =
        mount
            + " && "
            + train
            + " 2>'"
            + folder
            + "/train'; echo trained $?; ls '"
            + run
            + "/checkpoints'; "
            + evaluate
            + " 2>'"
            + folder
            + "/evaluate'; echo evaluated $?";
    Process process = new ProcessBuilder("unshare", "-rm", "sh", "-c", script).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    List<String> err = Files.readAllLines(folder.resolve("train"));
    String all = out + "\n" + String.join("\n", err);
    assertTrue(out.contains("trained 1\n"), all);
    List<String> errors = err.stream().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, errors.size(), all);
    assertTrue(errors.get(0).contains("No space left on device"), all);
    assertTrue(out.contains(".json"), all);
    assertTrue(!out.contains(".tmp"), all);
    assertTrue(out.contains("evaluated 0\n"), all + Files.readString(folder.resolve("evaluate")));
  }

  private static String quoted(List<String> command) {
    StringBuilder text = new StringBuilder();
    command.forEach(word -> text.append('\'').append(word).append("' "));
    return text.toString();
  }
}
