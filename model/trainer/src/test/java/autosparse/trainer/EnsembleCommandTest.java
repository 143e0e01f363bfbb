package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.training.Ensemble;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code evaluate} and {@code rank} with several networks. */
class EnsembleCommandTest {
  @TempDir static Path shared;
  private static TinyDataSet data;
  private static Path first;
  private static Path second;

  private final Program program = new Program();

  @BeforeAll
  static void train() throws IOException {
    data = TinyDataSet.write(shared);
    first = train("first", "spmm", "--seed", "3");
    second = train("second", "spmm", "--seed", "4", "--split-seed", "3");
  }

  private static Path train(String name, String ops, String... more) {
    Path run = shared.resolve(name);
    List<String> arguments =
        Program.join(
            Program.join(List.of("train"), data.arguments(ops).toArray(String[]::new)),
            "--channels",
            "8",
            "--epochs",
            "3",
            "--batch",
            "16",
            "--baseline-epochs",
            name.equals("first") ? "1" : "0",
            "--threads",
            "1",
            "--device",
            "cpu",
            "--out",
            run.toString());
    new Program().succeed(Program.join(arguments, more));
    return run;
  }

  private String evaluate(String checkpoints, String... more) {
    program.succeed(
        Program.join(List.of("evaluate", "--device", "cpu", "--checkpoint", checkpoints), more));
    return program.out();
  }

  /** The figures of the row of means that starts with a name. */
  private static String means(String table, String name) {
    return table
        .lines()
        .dropWhile(line -> !line.startsWith("mean over tasks"))
        .filter(line -> line.startsWith(name + " "))
        .map(line -> line.substring(42))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " in " + table));
  }

  @Test
  void evaluateShowsTheMeanOfScoresAndEachNetworkBesideIt() {
    String table = evaluate(first + "," + second);
    for (Path run : List.of(first, second)) {
      assertEquals(
          means(evaluate(run.toString()), "autosparse"),
          means(table, run.getFileName().toString()));
    }
    assertEquals(means(evaluate(first.toString()), "features-mlp"), means(table, "features-mlp"));
    List<String> names =
        table
            .lines()
            .dropWhile(line -> !line.startsWith("mean over tasks"))
            .skip(1)
            .map(line -> line.substring(0, 42).strip())
            .toList();
    assertEquals(
        List.of("mean of 2", "first", "second", "features-mlp", "pattern-blind", "random pick"),
        names);
    String twice = evaluate(first + "," + first);
    assertEquals(means(evaluate(first.toString()), "autosparse"), means(twice, "mean of 2"));
    assertEquals(means(evaluate(first.toString()), "pattern-blind"), means(twice, "pattern-blind"));
  }

  /** Printed scores by schedule, best first. */
  private Map<String, Double> rank(String checkpoints) {
    program.succeed(
        List.of(
            "rank",
            "--device",
            "cpu",
            "--checkpoint",
            checkpoints,
            "--matrix",
            data.matrices().resolve("m1.csr").toString(),
            "--schedules",
            data.records().resolve("spmm/m1.txt").toString(),
            "--top",
            "1000"));
    Map<String, Double> scores = new LinkedHashMap<>();
    program
        .out()
        .lines()
        .skip(1)
        .map(line -> line.strip().split(" +", 3))
        .forEach(words -> scores.put(words[2], Double.valueOf(words[1])));
    return scores;
  }

  private static double[] inOrder(Map<String, Double> scores, Map<String, Double> of) {
    return of.keySet().stream().mapToDouble(scores::get).toArray();
  }

  @Test
  void rankOrdersByTheMeanOfStandardisedScores() {
    Map<String, Double> one = rank(first.toString());
    Map<String, Double> other = rank(second.toString());
    Map<String, Double> together = rank(first + "," + second);
    assertEquals(one.keySet().size(), together.size());
    assertArrayEquals(
        Ensemble.mean(List.of(inOrder(one, together), inOrder(other, together))),
        inOrder(together, together),
        2e-3);
    assertEquals(
        new ArrayList<>(one.keySet()), new ArrayList<>(rank(first + "," + first).keySet()));
  }

  @Test
  void runsOfAnotherSplitOrOperatorAreRefused() {
    Path split = train("split", "spmm", "--seed", "5");
    String all = first + "," + second + "," + split;
    program.refuse(
        List.of("evaluate", "--checkpoint", all),
        "--checkpoint: " + first + " was started with --split-seed 3, " + split + " with 5");
    assertTrue(evaluate(all, "--split-seed", "3").contains("mean of 3"), program.out());
    Path operator = train("operator", "spmv", "--seed", "3");
    program.refuse(
        List.of("evaluate", "--checkpoint", first + "," + operator),
        "--checkpoint: " + first + " was started with --op spmm, " + operator + " with spmv");
    program.refuse(
        List.of("evaluate", "--checkpoint", first + "," + operator, "--op", "spmm"),
        "a model of [spmv], not of spmm");
    program.refuse(
        List.of(
            "rank",
            "--checkpoint",
            first + "," + operator,
            "--matrix",
            data.matrices().resolve("m1.csr").toString(),
            "--schedules",
            data.records().resolve("spmm/m1.txt").toString()),
        "--op: spmm, expected an operator of the model " + operator,
        "[spmv]");
    program.refuse(
        List.of("evaluate", "--checkpoint", first + "," + shared.resolve("none")),
        "--checkpoint: " + shared.resolve("none") + ": no such file or folder");
  }

  @Test
  void theyAreOnTheDeviceOneAfterAnother() {
    List<String> alone = List.of("evaluate", "--device", "cpu", "--checkpoint", first.toString());
    program.refuse(Program.join(alone, "--memory-budget", "64k"), "--memory-budget");
    long enough = 0;
    for (int round = 0; round < 5; round++) {
      String error = program.err();
      int at = error.indexOf("raise --memory-budget to ");
      if (at >= 0) {
        enough = Long.parseLong(error.substring(at + 25, error.indexOf(" or more", at)));
        program.run(Program.join(alone, "--memory-budget", String.valueOf(enough)));
      }
    }
    assertTrue(enough > 0);
    evaluate(first + "," + second, "--memory-budget", String.valueOf(enough));
  }
}
