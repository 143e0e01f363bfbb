package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.checkpoint.SafetensorsFile;
import autosparse.trainer.run.MetricsLog;
import autosparse.trainer.run.ResultsFile;
import autosparse.trainer.run.RunFolder;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A run from end to end, on a data set of a few hundred lines, and the commands that read it. */
@ExtendWith(TrainedRun.Once.class)
class TrainCommandTest {
  @TempDir Path folder;
  private final TrainedRun trained;
  private final Program program = new Program();

  TrainCommandTest(TrainedRun trained) {
    this.trained = trained;
  }

  @Test
  void theRunFolderIsComplete() throws IOException {
    ObjectMapper json = new ObjectMapper();
    assertEquals(
        3, json.readTree(trained.folder().resolve("env.json").toFile()).path("seed").asInt());
    Map<String, Object> config = RunFolder.readConfig(trained.folder());
    assertEquals("8", String.valueOf(config.get("channels")));
    // Not the word auto, but what it stood for on this machine.
    assertTrue(List.of("fp32", "bf16").contains(config.get("precision")), config::toString);
    assertEquals(
        config.get("precision"),
        json.readTree(trained.folder().resolve("env.json").toFile()).path("precision").asText());
    String report = Files.readString(trained.folder().resolve("report.html"));
    for (String text : List.of("<svg", "features-mlp", "</html>")) {
      assertTrue(report.contains(text), text);
    }
    try (Stream<Path> files = Files.list(trained.folder())) {
      assertTrue(files.anyMatch(file -> file.getFileName().toString().startsWith("events.out.")));
    }
    List<Long> steps = TrainedRun.stepsOf(trained.folder());
    assertEquals(LongStream.rangeClosed(1, steps.size()).boxed().toList(), steps);
    assertEquals(0, steps.size() % TrainedRun.EPOCHS);
    List<MetricsLog.Entry> evaluations =
        MetricsLog.read(trained.folder().resolve("metrics.jsonl")).stream()
            .filter(entry -> entry.kind() == MetricsLog.Kind.EVALUATE)
            .toList();
    assertEquals(TrainedRun.EPOCHS, evaluations.size());
    assertNotNull(evaluations.get(0).values().get("pair_accuracy"));
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(trained.folder());
    assertEquals(3, checkpoints.steps().size(), "three are kept");
    checkpoints.steps().forEach(checkpoints::read);
    assertEquals((long) steps.size(), checkpoints.steps().get(2));
  }

  @Test
  void evaluateRankAndExport() throws IOException {
    List<String> evaluate =
        Program.join(
            Program.join(
                List.of("evaluate"), trained.data().arguments("spmm").toArray(String[]::new)),
            "--split-seed",
            "3",
            "--checkpoint");
    program.succeed(Program.join(evaluate, trained.folder().toString()));
    String judged = program.out();
    program.succeed(
        List.of("evaluate", "--checkpoint", trained.folder().toString(), "--op", "spmm"));
    assertEquals(judged, program.out(), "a run is judged on its own split");
    for (String text : List.of("autosparse", "features-mlp", "random", "blind")) {
      assertTrue(judged.contains(text), text + " in " + judged);
    }
    program.succeed(
        List.of(
            "rank",
            "--checkpoint",
            trained.folder().toString(),
            "--matrix",
            trained.data().matrices().resolve("m1.csr").toString(),
            "--schedules",
            trained.data().records().resolve("spmm/m1.txt").toString(),
            "--top",
            "4"));
    assertEquals(5, program.out().lines().count(), program.out());
    List<String> known = Files.readAllLines(trained.data().records().resolve("spmm/m1.txt"));
    double before = Double.POSITIVE_INFINITY;
    for (String line : program.out().lines().skip(1).toList()) {
      String[] words = line.strip().split(" +", 3);
      assertTrue(Double.parseDouble(words[1]) <= before, program.out());
      before = Double.parseDouble(words[1]);
      assertTrue(known.stream().anyMatch(record -> record.startsWith(words[2] + " ")), words[2]);
    }
    Path file = folder.resolve("weights.safetensors");
    program.succeed(
        List.of("export", "--checkpoint", trained.folder().toString(), "--out", file.toString()));
    try (SafetensorsFile weights = SafetensorsFile.open(file);
        SafetensorsFile checkpoint = SafetensorsFile.open(TrainedRun.lastOf(trained.folder()))) {
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

  /** What evaluate finds of a saved run is what the run itself said at its end. */
  @Test
  void theWeightsThatAreSavedAreThoseThatWereJudged() {
    program.succeed(List.of("evaluate", "--checkpoint", trained.folder().toString()));
    for (ResultsFile.Result result : ResultsFile.read(RunFolder.resultsOf(trained.folder()))) {
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
    List<String> other = trained.once(folder.resolve("other"), 0);
    other.set(other.indexOf("--seed") + 1, "4");
    program.succeed(other);
    List<String> same = trained.once(folder.resolve("same"), 0);
    same.set(same.indexOf("--seed") + 1, "4");
    program.succeed(Program.join(same, "--split-seed", "3"));
    assertNotEquals(heldOut(trained.folder()), heldOut(folder.resolve("other")));
    assertEquals(heldOut(trained.folder()), heldOut(folder.resolve("same")));
    assertEquals("3", String.valueOf(RunFolder.readConfig(trained.folder()).get("split-seed")));
    assertEquals(
        "3", String.valueOf(RunFolder.readConfig(folder.resolve("same")).get("split-seed")));
  }

  @Test
  void aRunFromBeforeSplitsHadSeedsIsJudgedOnItsOwnSplit() throws IOException {
    program.succeed(List.of("evaluate", "--checkpoint", trained.folder().toString()));
    String judged = program.out();
    Path run = trained.copyTo(folder.resolve("copy"));
    Path config = run.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    List<String> older = lines.stream().filter(line -> !line.startsWith("split-seed:")).toList();
    assertEquals(lines.size() - 1, older.size());
    Files.write(config, older);
    program.succeed(List.of("evaluate", "--checkpoint", run.toString()));
    assertEquals(judged.lines().skip(1).toList(), program.out().lines().skip(1).toList());
    program.succeed(List.of("train", "--out", run.toString(), "--resume"));
    trained.assertSameEnd(run);
  }
}
