package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class MemoryProfileCommandTest {
  @TempDir static Path folder;

  private static Path matrices;

  private final Program program = new Program();

  @BeforeAll
  static void generate() {
    matrices = folder.resolve("matrices");
    Program program = new Program();
    for (String kind : List.of("band", "rmat")) {
      program.succeed(
          List.of(
              "generate",
              "--kind",
              kind,
              "--rows",
              "3000",
              "--nnz",
              "20000",
              "--seed",
              "4",
              "--out",
              matrices.resolve(kind + ".csr").toString()));
    }
  }

  private static List<String> arguments(Path out, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "memory-profile",
                "--matrices",
                matrices.toString(),
                "--batch",
                "32",
                "--channels",
                "16",
                "--out",
                out.toString()));
    all.addAll(List.of(more));
    return all;
  }

  @Test
  void plannedAndMeasuredPeaksAreEqual() throws IOException {
    Path out = folder.resolve("measured");
    program.succeed(
        arguments(
            out,
            "--generate",
            "uniform:9000",
            "--device",
            "cpu",
            "--strategies",
            "keep-all,checkpoints,strips",
            "--budgets",
            "128m,96m,1k",
            "--measure"));
    List<String> rows = Files.readAllLines(out.resolve("profile.csv"));
    assertEquals(1 + 3 * (3 + 1 + 3), rows.size(), rows.toString());
    int measured = 0;
    Set<String> ways = new TreeSet<>();
    for (String row : rows.subList(1, rows.size())) {
      String[] cells = row.split(",", -1);
      assertEquals(16, cells.length, row);
      if (!cells[11].isEmpty()) {
        assertEquals(cells[10], cells[11], row);
        assertEquals("yes", cells[12], row);
        ways.add(cells[5] + "=" + cells[7].replaceAll(" .*", ""));
        measured++;
      }
      if (cells[5].equals("1k")) {
        assertEquals("does not fit", cells[7]);
      } else if (!cells[6].isEmpty()) {
        assertTrue(Long.parseLong(cells[8]) <= Long.parseLong(cells[6]), row);
      }
    }
    assertTrue(
        ways.containsAll(List.of("keep-all=keep", "checkpoints=checkpoints", "strips=strips")),
        ways.toString());
    assertTrue(
        program.out().contains("planned = measured: " + measured + " of " + measured),
        program.out());
    String page = Files.readString(out.resolve("index.html"));
    assertFalse(page.contains("http"), "something from elsewhere");
    assertTrue(page.contains("band") && page.contains("<polygon"));
    assertTrue(page.contains("</span>layer 3</li>"), "layers");
  }

  /** R-MAT draws places, and those that coincide are one nonzero: the name says what there is. */
  @Test
  void generatedMatricesAreNamedAfterTheNonzerosThatTheyHave() throws IOException {
    Path out = folder.resolve("named");
    program.succeed(
        List.of(
            "memory-profile",
            "--generate",
            "rmat:2000,band:1000",
            "--batch",
            "4",
            "--channels",
            "4",
            "--budgets",
            "1g",
            "--device",
            "cpu",
            "--out",
            out.toString()));
    List<String> rows = Files.readAllLines(out.resolve("profile.csv"));
    for (String row : rows.subList(1, rows.size())) {
      String[] cells = row.split(",", -1);
      assertTrue(cells[0].matches("\"(rmat|band)-" + cells[3] + "\""), row);
    }
    assertTrue(rows.get(1).startsWith("\"rmat-"), rows.get(1));
    assertTrue(Integer.parseInt(rows.get(1).split(",", -1)[3]) < 1500, rows.get(1));
  }

  private static List<String> small(Path out, String... more) {
    return Program.join(
        List.of(
            "memory-profile",
            "--batch=4",
            "--channels=4",
            "--budgets=1g",
            "--device=cpu",
            "--out=" + out),
        more);
  }

  /** A matrix is read when it is its turn: by then others are done. */
  @Test
  void aBrokenMatrixLeavesNothingBehind() throws IOException {
    Path some = Files.createDirectories(folder.resolve("some"));
    Files.copy(matrices.resolve("band.csr"), some.resolve("band.csr"));
    byte[] bytes = Files.readAllBytes(matrices.resolve("rmat.csr"));
    bytes[bytes.length - 1] = 1;
    Files.write(some.resolve("rmat.csr"), bytes);
    Path out = folder.resolve("of-broken/deep");
    program.refuse(small(out, "--matrices=" + some), some.resolve("rmat.csr") + ": column ");
    assertTrue(program.out().contains("\nband "), program.out());
    assertFalse(Files.exists(out.getParent()));
    Path file = Files.createFile(folder.resolve("file"));
    program.refuse(small(file.resolve("out"), "--matrices=" + some), "--out", "expected a folder");
    assertEquals("", program.out(), "before any matrix is read");
  }

  /** Of files of one name train takes the .csr file; other matrices of one name are told apart. */
  @Test
  void matricesOfOneNameHaveFilesOfTheirOwn() throws IOException {
    Path some = Files.createDirectories(folder.resolve("twice"));
    String head = "%%MatrixMarket matrix coordinate pattern general\n";
    Files.writeString(some.resolve("band-999.mtx"), head + "9 9 1\n1 1\n");
    Files.copy(matrices.resolve("band.csr"), some.resolve("band-999.csr"));
    Path out = folder.resolve("names");
    program.succeed(small(out, "--matrices=" + some, "--generate=band:1000,band:1000"));
    List<String> kept =
        Files.readAllLines(out.resolve("profile.csv")).stream()
            .filter(row -> row.contains(",keep-all,"))
            .map(row -> row.replaceAll("^(\"[^,]*\",\\d+),.*", "$1"))
            .toList();
    assertEquals(List.of("\"band-999\",3000", "\"band-999-2\",111", "\"band-999-3\",111"), kept);
    for (String name : List.of("band-999", "band-999-2", "band-999-3")) {
      assertTrue(Files.exists(out.resolve(name + ".pickle")), name);
      assertTrue(Files.exists(out.resolve(name + ".trace.json")), name);
    }
  }

  /** What is planned is train's own step: its defaults, and the widest first layer. */
  @Test
  void theDefaultsAreThoseOfTrain() throws IOException {
    Map<String, CommandLine> commands =
        new CommandLine(new Main(System.out, System.err)).getSubcommands();
    CommandSpec profile = commands.get("memory-profile").getCommandSpec();
    CommandSpec train = commands.get("train").getCommandSpec();
    for (String option :
        List.of(
            "--model", "--channels", "--work-features", "--feature-bins", "--head", "--batch")) {
      assertEquals(
          train.findOption(option).defaultValue(),
          profile.findOption(option).defaultValue(),
          option);
    }
    long with = keptPeak(folder.resolve("bins"));
    long without = keptPeak(folder.resolve("no-bins"), "--feature-bins", "0");
    assertTrue(with > without, with + " with bins, " + without + " without");
  }

  private long keptPeak(Path out, String... more) throws IOException {
    program.succeed(
        arguments(out, Program.join(List.of(more), "--gpu", "h200").toArray(String[]::new)));
    return Files.readAllLines(out.resolve("profile.csv")).stream()
        .filter(row -> row.startsWith("\"band\"") && row.contains(",keep-all,"))
        .mapToLong(row -> Long.parseLong(row.split(",", -1)[10]))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void filesForViewersAreWholeAndWellFormed() throws IOException {
    Path out = folder.resolve("planned");
    program.succeed(arguments(out, "--gpu", "h200", "--budgets", "1g"));
    byte[] pickle = Files.readAllBytes(out.resolve("band.pickle"));
    assertEquals((byte) 0x80, pickle[0]);
    assertEquals(2, pickle[1]);
    assertEquals('.', pickle[pickle.length - 1]);
    JsonNode trace =
        new ObjectMapper().readTree(out.resolve("band.trace.json").toFile()).get("traceEvents");
    long live = 0;
    int counters = 0;
    for (JsonNode event : trace) {
      if (event.get("ph").asText().equals("C")) {
        live = 0;
        for (JsonNode bytes : event.get("args")) {
          live += bytes.asLong();
        }
        counters++;
      }
    }
    assertTrue(counters > 100, counters + " counters");
    assertEquals(0, live, "the step leaves nothing behind");
  }

  /** What of a GPU is not for tensors is in the budget that a step is said to need. */
  @Test
  void theBudgetThatIsNeededIsTheSmallestThatDoes() throws IOException {
    Path out = folder.resolve("needed");
    program.succeed(arguments(out, "--gpu", "h200", "--budgets", "1g"));
    long needed = 0;
    for (String row : Files.readAllLines(out.resolve("profile.csv"))) {
      String[] cells = row.split(",", -1);
      if (row.startsWith("\"band\"") && cells[5].equals("smallest")) {
        needed = Long.parseLong(cells[8]);
        assertTrue(needed > Long.parseLong(cells[9]), row);
      }
    }
    program.succeed(arguments(out, "--gpu", "h200", "--budgets", needed + "," + (needed - 1)));
    for (String row : Files.readAllLines(out.resolve("profile.csv"))) {
      String[] cells = row.split(",", -1);
      if (row.startsWith("\"band\"") && !cells[6].isEmpty()) {
        boolean less = Long.parseLong(cells[6]) < needed;
        assertEquals(less, cells[7].equals("does not fit"), row);
      }
    }
  }

  @Test
  void badInputIsRefused() {
    Path out = folder.resolve("refused");
    program.refuse(arguments(out, "--gpu", "h900"), "--gpu", "h900", "h200");
    program.refuse(arguments(out, "--gpu", "h200", "--measure"), "--measure", "h200");
    program.refuse(arguments(out, "--memory-budget", "1g"), "--memory-budget", "--budgets");
    program.refuse(
        List.of(
            "memory-profile",
            "--matrices",
            matrices.toString(),
            "--batch",
            "1",
            "--out",
            out.toString()),
        "--batch",
        "1");
    program.refuse(arguments(out, "--model", "features-mlp"), "--model");
    program.refuse(List.of("memory-profile", "--out", out.toString()), "--matrices", "--generate");
    program.refuse(arguments(out, "--generate", "band"), "--generate", "band:1000000");
    program.refuse(arguments(out, "--generate", "arrow:5000"), "--generate", "arrow", "rmat");
    program.refuse(arguments(out, "--generate", "band:10"), "--generate", "10", "1000");
    program.refuse(arguments(out, "--strategies", "none"), "--strategies", "none", "strips");
    program.refuse(
        List.of("memory-profile", "--matrices", "nowhere", "--out", out.toString()),
        "--matrices",
        "nowhere");
    assertFalse(Files.exists(out));
  }
}
