package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Budgets of memory: what is refused before anything is written, and what fits. */
@ExtendWith(TrainedRun.Once.class)
class TrainBudgetTest {
  @TempDir Path folder;
  private final TrainedRun trained;
  private final Program program = new Program();

  TrainBudgetTest(TrainedRun trained) {
    this.trained = trained;
  }

  /**
   * Not even the weights fit 64k: said before anything is written, with the budget that would do.
   */
  @Test
  void aBudgetThatIsTooSmallNamesTheSmallestThatWorks() {
    Path run = folder.resolve("small");
    List<String> once = trained.once(run, 0);
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
    program.refuse(
        with(trained.once(less, 0), enough - 256), "--memory-budget", " to " + enough + " or");
    assertTrue(Files.notExists(less), "nothing is left behind");
  }

  /** The baseline is planned beside the model, not found to be too large after hours. */
  @Test
  void aBaselineThatDoesNotFitIsRefusedAtTheStart() {
    Path run = folder.resolve("beside");
    List<String> alone = trained.once(run, 0);
    program.refuse(Program.join(alone, "--memory-budget", "64k"), "--memory-budget");
    long enough = number(program.err(), "raise --memory-budget to ", " or more");
    program.refuse(
        with(trained.once(run, 1), enough + (1 << 16)), "--baseline-epochs 0 leaves out");
    assertTrue(Files.notExists(run), "nothing is left behind");
  }

  @Test
  void modelsWithoutATowerArePlannedToo() {
    Path run = folder.resolve("features");
    program.refuse(
        trained.train(run, "--model", "features-mlp", "--memory-budget", "64k"),
        "--memory-budget: a step on [m",
        "raise --memory-budget to");
    assertTrue(Files.notExists(run), "nothing is left behind");
  }

  @Test
  void evaluateAndRankFitASmallBudgetAndGiveTheSame() throws IOException {
    List<String> evaluate =
        Program.join(
            Program.join(
                List.of("evaluate", "--checkpoint", trained.folder().toString(), "--device", "cpu"),
                trained.data().arguments("spmm,spmv").toArray(String[]::new)),
            "--threads",
            "1");
    givesTheSameWithinTheSmallestBudget(evaluate);
    List<String> rank =
        List.of(
            "rank",
            "--checkpoint",
            trained.folder().toString(),
            "--matrix",
            trained.data().matrices().resolve("m1.csr").toString(),
            "--schedules",
            trained.data().records().resolve("spmm/m1.txt").toString(),
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
    assertSameButForRounding(plenty, program.out());
  }

  /**
   * The same words in the same places; strips add up in another order, which the digits may tell.
   */
  private static void assertSameButForRounding(String expected, String actual) {
    String[] words = expected.split("\\s+", -1);
    String[] others = actual.split("\\s+", -1);
    assertEquals(words.length, others.length, actual);
    for (int i = 0; i < words.length; i++) {
      if (words[i].matches("-?\\d+\\.\\d+")) {
        assertEquals(Double.parseDouble(words[i]), Double.parseDouble(others[i]), 1e-3, actual);
      } else {
        assertEquals(words[i], others[i], actual);
      }
    }
  }

  private static List<String> with(List<String> arguments, long budget) {
    return Program.join(arguments, "--memory-budget", String.valueOf(budget));
  }

  private static long number(String text, String before, String after) {
    int start = text.indexOf(before) + before.length();
    assertTrue(start >= before.length(), text);
    return Long.parseLong(text.substring(start, text.indexOf(after, start)));
  }
}
