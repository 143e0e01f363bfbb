package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.trainer.run.ResultsFile;
import autosparse.trainer.run.ResultsFile.Result;
import autosparse.trainer.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SummarizeCommandTest {
  @TempDir Path folder;
  private final Program program = new Program();

  private Path run(String name, Result... results) throws IOException {
    Path run = Files.createDirectories(folder.resolve(name));
    ResultsFile.write(RunFolder.resultsOf(run), List.of(results));
    return run;
  }

  private static Result result(String who, String matrix, double one, double five, double pairs) {
    return new Result(who, "spmm", matrix, 100, one, five, pairs);
  }

  @Test
  void meansAreOverTasksAndRuns() throws IOException {
    Path first =
        run(
            "first",
            result("autosparse", "cca", 0.5, 0.75, 0.8),
            result("features-mlp", "cca", 0.25, 0.5, 0.7));
    Path second = run("second", result("autosparse", "kim1", 1, 1, Double.NaN));
    Path again = run("again", result("autosparse", "cca", 0.7, 0.85, 0.9));
    program.succeed(List.of("summarize", first.toString(), second.toString(), again.toString()));
    String expected =
        """
        who               op      matrix                   runs   top-1   top-5   pairs
        autosparse        spmm    cca                         2   0.600   0.800   0.850
        autosparse        spmm    kim1                        1   1.000   1.000       -
        features-mlp      spmm    cca                         1   0.250   0.500   0.700

        mean over tasks and runs                           rows   top-1   top-5   pairs
        autosparse                                            3   0.733   0.867   0.850
        features-mlp                                          1   0.250   0.500   0.700
        """;
    assertEquals(expected, program.out());
  }

  /** Leaving one matrix out after another, from training to the table. */
  @Test
  void sumsUpWhatTrainLeaves() throws IOException {
    TinyDataSet data = TinyDataSet.write(folder);
    List<String> arguments = List.of("summarize");
    for (String name : List.of("m0", "m1")) {
      Path run = folder.resolve("runs/without-" + name);
      program.succeed(
          Program.join(
              Program.join(List.of("train"), data.arguments("spmm").toArray(String[]::new)),
              "--split=base",
              "--held-out=" + name,
              "--channels=4",
              "--epochs=1",
              "--baseline-epochs=1",
              "--threads=1",
              "--out=" + run));
      arguments = Program.join(arguments, run.toString());
    }
    Program summary = new Program();
    summary.succeed(arguments);
    List<String> lines = summary.out().lines().toList();
    // Two tasks each of the model, the baseline, the blind and the random pick; then their means.
    assertEquals(1 + 4 * 2 + 1 + 1 + 4, lines.size(), summary.out());
    assertTrue(lines.get(1).startsWith("autosparse        spmm    m0 "), summary.out());
    assertTrue(lines.get(2).startsWith("autosparse        spmm    m1 "), summary.out());
    assertTrue(summary.out().contains("\npattern-blind  "), summary.out());
  }

  @Test
  void aRunThatHasNotEndedIsNamed() throws IOException {
    Path run = Files.createDirectories(folder.resolve("cut"));
    program.refuse(List.of("summarize", run.toString()), "results.json is missing", "--resume");
    Files.writeString(run.resolve("results.json"), "[{\"who\": \"x\"}]");
    program.refuse(List.of("summarize", run.toString()), "results.json: expected results");
    Files.writeString(run.resolve("results.json"), "[{");
    program.refuse(List.of("summarize", run.toString()), "results.json: expected results");
  }
}
