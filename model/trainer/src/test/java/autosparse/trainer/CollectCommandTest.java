package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import autosparse.schedule.InputException;
import autosparse.trainer.run.Signals;
import autosparse.tuner.measure.Toolchain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a whole: real kernels, real kills. */
class CollectCommandTest {
  private static final int KILLS = 4;

  @TempDir Path folder;
  private Path matrices;
  private final Program program = new Program();

  @BeforeEach
  void writeMatrices() {
    matrices = folder.resolve("matrices");
    program.succeed(
        List.of(
            "generate",
            "--kind",
            "mix",
            "--count",
            "3",
            "--min-rows",
            "40",
            "--max-rows",
            "200",
            "--min-nnz",
            "200",
            "--max-nnz",
            "900",
            "--out",
            matrices.toString()));
  }

  private static void needCompiler() {
    try {
      Toolchain.find("gcc");
    } catch (InputException none) {
      assumeTrue(false, none.getMessage());
    }
  }

  /** Without mutations: then what is drawn does not depend on times. */
  private List<String> collect(Path out, String... rest) {
    return Program.join(
        List.of(
            "collect",
            "--matrices",
            matrices.toString(),
            "--op",
            "spmv,spmm",
            "--schedules",
            "6",
            "--round",
            "3",
            "--mutations",
            "0",
            "--repeats",
            "0.34",
            "--threads",
            "1",
            "--max-runs",
            "5",
            "--min-total-ms",
            "0",
            "--out",
            out.toString()),
        rest);
  }

  private Process start(List<String> arguments) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(Program.commandLine(arguments));
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    return builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
  }

  /** Every shard and record file without what a clock or a rounding error decides. */
  private static Map<String, String> withoutTimes(Path out) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(out)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jsonl.gz")).toList()) {
        try (BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(
                    new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
          contents.put(
              out.relativize(file).toString(),
              lines
                  .lines()
                  .map(line -> line.replaceAll("\"ms\":.*", ""))
                  .collect(Collectors.joining("\n")));
        }
      }
    }
    return contents;
  }

  @Test
  void killedAgainAndAgainItEndsAsIfUndisturbed() throws Exception {
    needCompiler();
    Path undisturbed = folder.resolve("undisturbed");
    assertEquals(0, start(collect(undisturbed)).waitFor());
    Path killed = folder.resolve("killed");
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = start(kill == 0 ? collect(killed) : collect(killed, "--resume"));
      try (BufferedReader err =
          new BufferedReader(
              new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
        String line = err.readLine();
        // The first line of progress comes with the first outcome of this process.
        assertTrue(line != null && line.contains("collect "), line);
        Signals.send("KILL", process);
      }
      assertEquals(137, process.waitFor());
    }
    assertFalse(Files.exists(killed.resolve("records")));
    Process last = start(collect(killed, "--resume"));
    String errors = new String(last.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, last.waitFor(), errors);
    Map<String, String> expected = withoutTimes(undisturbed);
    assertEquals(3 * 2 * (2 + 1), expected.size(), "two rounds and a record file for each task");
    assertEquals(expected, withoutTimes(killed));
  }

  @Test
  void ctrlCSavesAndWhatIsCollectedTrains() throws Exception {
    needCompiler();
    Path set = folder;
    Process process = start(collect(set));
    try (BufferedReader err =
        new BufferedReader(
            new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
      assertTrue(err.readLine().contains("collect "));
      Signals.send("INT", process);
      assertTrue(
          err.lines().anyMatch(line -> line.endsWith("saved; go on with --resume")), "told so");
    }
    assertEquals(130, process.waitFor());
    program.refuse(collect(set), "holds a collection of worker main; --resume");
    program.refuse(collect(set, "--resume", "--max-ms", "7"), "--max-ms 7.0", "1000.0");
    program.succeed(collect(set, "--resume"));
    assertTrue(program.out().contains("drawn: "), program.out());
    assertTrue(Files.exists(set.resolve("machine.json")));
    program.succeed(
        List.of(
            "train",
            "--data",
            set.toString(),
            "--op",
            "spmm",
            "--split",
            "base",
            "--epochs",
            "1",
            "--model",
            "features-mlp",
            "--out",
            folder.resolve("run").toString()));
    program.succeed(collect(set, "--worker", "second"));
    assertTrue(program.out().contains("collect --merge"), program.out());
    program.succeed(List.of("collect", "--merge", "--out", set.toString()));
    assertTrue(program.out().contains("of 2 workers in 6 files"), program.out());
  }

  @Test
  void refusals() throws IOException {
    Path out = folder.resolve("out");
    program.refuse(List.of("collect", "--out", out.toString()), out.resolve("matrices").toString());
    program.refuse(collect(out, "--resume"), "holds no collection of worker main");
    List<String> bare =
        List.of("collect", "--matrices", matrices.toString(), "--out", out.toString());
    program.refuse(Program.join(bare, "--mutations", "2"), "--mutations: 2.0");
    program.refuse(Program.join(bare, "--max-runs", "1"), "most runs 1");
    program.refuse(collect(out, "--cc", "no-such-cc"), "C compiler no-such-cc not found");
    program.refuse(List.of("collect", "--merge", "--out", out.toString()), "no shards to merge");
    assertFalse(Files.exists(out));
  }
}
