package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the host's memory cannot hold is refused in one line, before anything is read or written.
 */
class HostMemoryTest {
  private static final String FLAG = "--host-memory-budget";
  private static final int HUGE_ROWS = 1000;
  private static final int HUGE_NONZEROS = 2_000_000_000;

  @TempDir static Path shared;
  private static TinyDataSet data;

  @TempDir Path folder;
  private final Program program = new Program();

  @BeforeAll
  static void write() throws IOException {
    data = TinyDataSet.write(shared);
  }

  private static List<String> train(TinyDataSet of, Path run, String... more) {
    return Program.join(
        Program.join(
            Program.join(List.of("train"), of.arguments("spmm").toArray(String[]::new)),
            "--device",
            "cpu",
            "--threads",
            "1",
            "--channels",
            "8",
            "--epochs",
            "1",
            "--batch",
            "16",
            "--baseline-epochs",
            "1",
            "--out",
            run.toString()),
        more);
  }

  /** The number behind some words of what was said last. */
  private long number(String before) {
    String text = program.err();
    int start = text.indexOf(before);
    assertTrue(start >= 0, text);
    return Long.parseLong(text.substring(start + before.length()).replaceAll("\\D.*\\s*", ""));
  }

  @Test
  void budgetsThatAreTooSmallNameTheSmallestThatWorks() throws IOException {
    Path run = folder.resolve("run");
    long heap = Runtime.getRuntime().maxMemory();
    program.refuse(
        train(data, run, FLAG, "64m"),
        FLAG + ": 67108864 bytes, expected at least ",
        ": the Java heap may grow to " + heap + " (java -Xmx), outside of it: JVM ",
        "scratch 8388608");
    long least = number("expected at least ");
    program.refuse(train(data, run, FLAG, String.valueOf(least - 1)), "expected at least " + least);
    program.refuse(
        train(data, run, FLAG, String.valueOf(least)),
        "expected more than the " + least + " that are not for tensors: Java heap " + heap);
    program.refuse(
        train(data, run, FLAG, String.valueOf(least + (64 << 10))),
        FLAG + ": a step on [m",
        "the device's range has 65536",
        "raise " + FLAG + " to ");
    long enough = number("raise " + FLAG + " to ");
    for (int round = 0;
        round < 3 && program.run(train(data, run, FLAG, String.valueOf(enough))) != 0;
        round++) {
      assertTrue(Files.notExists(run), program.err());
      enough = number("raise " + FLAG + " to "); // judging, or the baseline, asks for more
    }
    assertTrue(Files.exists(run.resolve("report.html")), program.err());
    assertTrue(program.out().contains("host memory budget " + enough + " bytes: "), program.out());
    Path less = folder.resolve("less");
    program.refuse(
        train(data, less, FLAG, String.valueOf(enough - 256)), "raise " + FLAG + " to " + enough);
    assertTrue(Files.notExists(less), "nothing is left behind");
    assertMemoryIsTold(run, enough);
    assertOthersRefuse(run);
  }

  private static void assertMemoryIsTold(Path run, long budget) throws IOException {
    JsonNode memory = new ObjectMapper().readTree(run.resolve("memory.json").toFile());
    assertTrue(memory.path("device").path("at_peak").path("weights").asLong() > 0);
    long scratch = 0;
    boolean process = false;
    for (JsonNode row : memory.path("host")) {
      long planned = row.path("planned_bytes").asLong();
      long measured = row.path("measured_bytes").asLong();
      switch (row.path("what").asText()) {
        case "scratch" -> {
          scratch = measured;
          assertEquals(planned, measured, "to the byte");
        }
        case "tensors" -> assertTrue(measured > 0 && measured <= planned, row.toString());
        case "the process" -> {
          process = true;
          assertEquals(budget, planned);
          assertTrue(measured > 0);
        }
        default -> assertTrue(planned > 0, row.toString());
      }
    }
    assertEquals(8 << 20, scratch);
    assertTrue(process);
    String page = Files.readString(run.resolve("report.html"));
    assertTrue(page.contains("heap: schedules") && page.contains("the process"), "the report");
  }

  private void assertOthersRefuse(Path run) throws IOException {
    program.refuse(
        Program.join(
            Program.join(
                List.of("evaluate", "--checkpoint", run.toString()),
                data.arguments("spmm").toArray(String[]::new)),
            "--device=cpu",
            FLAG + "=64m"),
        FLAG + ": 67108864 bytes, expected at least ");
    Path out = folder.resolve("profile");
    program.refuse(
        List.of(
            "memory-profile",
            "--matrices",
            data.matrices().toString(),
            "--out",
            out.toString(),
            "--device=cpu",
            FLAG + "=64m"),
        FLAG + ": 67108864 bytes, expected at least ");
    assertFalse(Files.exists(out));
    Path text = hugeMtx(folder);
    program.refuse(rank(run, text), text + ": its pattern takes up to 8000008", "java -Xmx");
    String more = String.valueOf(Runtime.getRuntime().maxMemory() + (1L << 30));
    program.refuse(
        Program.join(rank(run, text), FLAG, more),
        text + ": its pattern takes up to 8000008",
        ": raise " + FLAG + " to ",
        "and the heap to java -Xmx");
    // This one stays on disk, and is found to be broken when it is read.
    Path csr = hugeCsr(folder);
    program.refuse(rank(run, csr), csr + ": duplicate column 0 in row 0 after 0");
  }

  private static List<String> rank(Path run, Path matrix) {
    return List.of(
        "rank",
        "--checkpoint=" + run,
        "--matrix=" + matrix,
        "--schedules=" + data.records().resolve("spmm/m1.txt"),
        "--device=cpu");
  }

  /** Header and row pointers: the columns are a hole, all zero. */
  private static Path hugeCsr(Path folder) throws IOException {
    Path file = folder.resolve("huge.csr");
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.write(words(HUGE_ROWS, HUGE_ROWS * 10_000, HUGE_NONZEROS));
      raw.write(
          words(
              IntStream.rangeClosed(0, HUGE_ROWS)
                  .map(row -> row * (HUGE_NONZEROS / HUGE_ROWS))
                  .toArray()));
      raw.setLength(12 + 4 * (HUGE_ROWS + 1L) + 4L * HUGE_NONZEROS);
    }
    return file;
  }

  private static byte[] words(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putInt(value);
    }
    return bytes.array();
  }

  /** A size line: the entries are a hole, which nobody reads. */
  private static Path hugeMtx(Path folder) throws IOException {
    Path file = folder.resolve("huge.mtx");
    String head =
        "%%MatrixMarket matrix coordinate pattern general\n"
            + HUGE_ROWS
            + " 10000000 "
            + HUGE_NONZEROS
            + "\n";
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.write(head.getBytes(StandardCharsets.US_ASCII));
      raw.setLength(head.length() + 8L * HUGE_NONZEROS);
    }
    return file;
  }

  @Test
  void aMatrixThatDoesNotFitIsRefusedBeforeAnyIsRead() throws IOException {
    TinyDataSet set = TinyDataSet.write(folder.resolve("set"));
    Path huge = hugeMtx(set.matrices());
    Files.copy(set.records().resolve("spmm/m1.txt"), set.records().resolve("spmm/huge.txt"));
    // Were it read, this one would be found to be broken first.
    Files.write(set.matrices().resolve("m0.csr"), words(1, 1, 1, 0, 1, 7));
    Path run = folder.resolve("run");
    String refusal = huge + ": its pattern takes up to 8000008";
    program.refuse(train(set, run), refusal, "java -Xmx");
    assertTrue(Files.notExists(run), "nothing is left behind");
    List<String> profile = List.of("memory-profile", "--out=" + run, "--device=cpu");
    program.refuse(Program.join(profile, "--matrices=" + set.matrices()), refusal, "java -Xmx");
    assertTrue(Files.notExists(run), "nothing is left behind");
  }

  /** A process with so much heap; what it says, both streams together. */
  private String process(int exitCode, String heap, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = Program.commandLine(arguments);
    command.set(1, "-Xmx" + heap);
    Path said = folder.resolve("said");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    int code = process.waitFor();
    String text = Files.readString(said);
    assertEquals(exitCode, code, text);
    return text;
  }

  @Test
  void aHeapThatIsTooSmallNamesOneThatDoes() throws IOException, InterruptedException {
    Path run = folder.resolve("run");
    String refusal = process(2, "24m", train(data, run));
    assertEquals(1, refusal.lines().count(), refusal);
    assertTrue(refusal.startsWith("error: -Xmx: schedules "), refusal);
    assertTrue(Files.notExists(run), "nothing is left behind");
    String words = "start with java -Xmx";
    String enough = refusal.substring(refusal.indexOf(words) + words.length());
    process(0, enough.substring(0, enough.indexOf(' ')), train(data, run));
    assertTrue(Files.exists(run.resolve("report.html")));
  }

  /** More schedules than the heap holds: not known before they are read, and said in one line. */
  @Test
  void aHeapThatIsFullIsOneLineThatNamesItsFlag() throws IOException, InterruptedException {
    TinyDataSet set = TinyDataSet.write(folder.resolve("set"));
    try (Writer out = Files.newBufferedWriter(set.records().resolve("spmm/m1.txt"))) {
      for (int chunk = 1; chunk <= 200_000; chunk++) {
        out.write("0 1 A 2 i k A 2 i 0 k 1 0 0 i None None 0 4 " + chunk + " 1.5\n");
      }
    }
    Path run = folder.resolve("run");
    String said = process(1, "20m", train(set, run));
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.startsWith("error: Java heap space"), said);
    assertTrue(said.contains("(the Java heap is 20 MB; java -Xmx sets it)"), said);
    assertTrue(Files.notExists(run), "nothing is left behind");
  }
}
