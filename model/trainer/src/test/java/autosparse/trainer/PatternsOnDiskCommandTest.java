package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.trainer.run.RunFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands with no room for patterns in memory do what they do with room. */
class PatternsOnDiskCommandTest {
  /** Bytes for patterns: no matrix fits. */
  private static final long NONE = 400;

  private static final long PLENTY = 1L << 24;

  @TempDir static Path folder;
  private static TinyDataSet data;

  @BeforeAll
  static void write() throws IOException {
    data = TinyDataSet.write(folder);
  }

  /** What a command printed. */
  private static String run(long patternBudget, List<String> arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    assertEquals(0, run(patternBudget, out, err, arguments), err.toString(StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  private static int run(
      long patternBudget, OutputStream out, OutputStream err, List<String> arguments) {
    Main main =
        new Main(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            patternBudget);
    int code = main.run(arguments.toArray(String[]::new));
    main.interrupts().finish(code);
    return code;
  }

  private static List<String> train(String model, Path run, String... more) {
    boolean waco = model.equals("waco");
    List<String> arguments = new ArrayList<>(List.of("train"));
    arguments.addAll(data.arguments(waco ? "spmm" : "spmm,spmv"));
    arguments.addAll(List.of("--model", model, "--channels", "4", "--epochs", "1"));
    arguments.addAll(List.of("--batch", "16", "--baseline-epochs", "1", "--evaluate-every", "1"));
    arguments.addAll(List.of("--checkpoint-every", "1", "--threads", "1", "--out", run.toString()));
    arguments.addAll(List.of(more));
    return arguments;
  }

  private static Path last(Path run) {
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    List<Long> steps = checkpoints.steps();
    return checkpoints.read(steps.get(steps.size() - 1)).tensors();
  }

  private static void assertSame(Path one, Path other) throws IOException {
    assertEquals(last(one).getFileName(), last(other).getFileName());
    assertArrayEquals(Files.readAllBytes(last(one)), Files.readAllBytes(last(other)));
    assertEquals(
        Files.readString(one.resolve("results.json")),
        Files.readString(other.resolve("results.json")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"autosparse", "autosparse-last", "waco-wide", "waco", "work-mlp"})
  void trainEvaluateAndRankGiveTheSame(String model) throws IOException {
    Path held = folder.resolve(model + "-held");
    Path onDisk = folder.resolve(model + "-disk");
    run(PLENTY, train(model, held));
    run(NONE, train(model, onDisk));
    assertSame(held, onDisk);

    List<String> evaluate = new ArrayList<>(List.of("evaluate", "--checkpoint"));
    evaluate.add(last(held).toString());
    evaluate.addAll(data.arguments("spmm"));
    assertEquals(run(PLENTY, evaluate), run(NONE, evaluate));

    List<String> rank = new ArrayList<>(List.of("rank", "--op", "spmm", "--checkpoint"));
    rank.add(last(held).toString());
    rank.addAll(List.of("--matrix", data.matrices().resolve("m2.csr").toString()));
    rank.addAll(List.of("--schedules", data.records().resolve("spmm/m2.txt").toString()));
    assertEquals(run(PLENTY, rank), run(NONE, rank));
  }

  @Test
  void memoryProfileGivesTheSame() throws IOException {
    List<String> profile = List.of("memory-profile", "--matrices", data.matrices().toString());
    profile = Program.join(profile, "--channels", "4", "--batch", "16", "--budgets", "64m");
    profile = Program.join(profile, "--device", "cpu", "--measure");
    profile = Program.join(profile, "--generate", "band:1000,rmat:2000,uniform:1000");
    Path held = folder.resolve("profile-held");
    Path onDisk = folder.resolve("profile-disk");
    run(PLENTY, Program.join(profile, "--out", held.toString()));
    run(NONE, Program.join(profile, "--out", onDisk.toString()));
    assertEquals(3 * (3 + 3), withoutTimes(held).size() - 1);
    assertEquals(withoutTimes(held), withoutTimes(onDisk));
  }

  /** A profile but for what strips of generated ones cost: some run forward together in a range. */
  private static List<String> withoutTimes(Path profile) throws IOException {
    List<String> rows = new ArrayList<>();
    for (String row : Files.readAllLines(profile.resolve("profile.csv"))) {
      List<String> cells = new ArrayList<>(List.of(row.split(",", -1)));
      assertEquals(16, cells.size(), row);
      if (cells.get(0).matches("\"(band|rmat|uniform)-.*")) {
        cells.remove(13);
      }
      rows.add(String.join(",", cells));
    }
    return rows;
  }

  @Test
  void showGivesTheSame() throws IOException {
    String line = Files.readAllLines(data.records().resolve("spmm/m1.txt")).get(0);
    List<String> show = List.of("show", "--schedule", line, "--matrix");
    show = Program.join(show, data.matrices().resolve("m1.csr").toString());
    String held = run(PLENTY, show);
    assertTrue(held.contains("A packed: positions "), held);
    assertEquals(held, run(NONE, show));
  }

  /** Damages a file when the line is printed that comes before the first step. */
  private static final class Damage extends OutputStream {
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final Path file;
    private boolean done;

    Damage(Path file) {
      this.file = file;
    }

    @Override
    public void write(int b) {
      printed.write(b);
      if (!done && printed.toString(StandardCharsets.UTF_8).contains(" parameters; ")) {
        done = true;
        try {
          Files.write(file, new byte[20]);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  @Test
  void aFileThatIsDamagedEndsTheRunWhichGoesOnWhenItIsWhole() throws IOException {
    Path whole = folder.resolve("whole");
    Path broken = folder.resolve("broken");
    run(NONE, train("autosparse", whole));
    Path file = data.matrices().resolve("m1.csr");
    byte[] bytes = Files.readAllBytes(file);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    assertEquals(2, run(NONE, new Damage(file), err, train("autosparse", broken)));
    String printed = err.toString(StandardCharsets.UTF_8);
    List<String> errors = printed.lines().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, errors.size(), printed);
    assertTrue(errors.get(0).startsWith("error: " + file + ": "), printed);
    Files.write(file, bytes);
    run(NONE, List.of("train", "--out", broken.toString(), "--resume"));
    assertSame(whole, broken);
  }

  @Test
  void textThatDoesNotFitIsRefused() throws IOException {
    Path text = folder.resolve("text.mtx");
    Files.writeString(text, "%%MatrixMarket matrix coordinate pattern general\n90 9 1\n1 1\n");
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    List<String> profile = List.of("memory-profile", "--matrices", folder.toString());
    profile = Program.join(profile, "--channels", "4", "--out", folder.resolve("p").toString());
    assertEquals(2, run(NONE, OutputStream.nullOutputStream(), err, profile));
    String message = err.toString(StandardCharsets.UTF_8);
    assertTrue(message.startsWith("error: " + text + ": its pattern takes up to 768"), message);
    assertEquals(1, message.lines().count(), message);
    // What the line proposes.
    Path csr = folder.resolve("text.csr");
    List<String> convert = List.of("generate", "--kind", "resize", "--shape", "90x9", "--matrix");
    run(PLENTY, Program.join(convert, text.toString(), "--out", csr.toString()));
    assertEquals(4 * (3 + 91 + 1), Files.size(csr));
    run(NONE, profile);
  }
}
