package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** The whole way: JMH runs benchmarks in this JVM, the table comes last. */
final class MainTest {
  @TempDir private Path folder;

  private int code;

  private String run(String... arguments)
      throws RunnerException, CommandLineOptionException, IOException {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      code = Main.run(new CommandLineOptions(arguments));
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static String[] quick(String benchmark, String... more) {
    List<String> arguments = new java.util.ArrayList<>(List.of(benchmark + "\\.run"));
    arguments.addAll(List.of("-f", "0", "-wi", "0", "-i", "1", "-r", "1ms"));
    arguments.addAll(List.of(more));
    return arguments.toArray(new String[0]);
  }

  @Test
  void theTableComesLastAndTheFileHoldsTheCounters() throws Exception {
    Path json = folder.resolve("results.json");
    String output =
        run(
            quick(
                "PoolingBenchmark",
                "-p",
                "operator=global average C=8",
                "-p",
                "device=cpu",
                "-p",
                "threads=1",
                "-rf",
                "json",
                "-rff",
                json.toString()));
    assertEquals(0, code);
    assertTrue(output.contains("device cpu, precision auto: cpu in fp32 (asked for)"), output);
    List<String> lines = output.lines().toList();
    String group = lines.get(lines.size() - 3);
    assertTrue(
        group.startsWith(
            "PoolingBenchmark, device cpu, precision auto, threads 1: cpu in fp32, product "),
        group);
    String row = lines.get(lines.size() - 1);
    String[] cells = row.replace("global average C=8", "").strip().split("\\s+", -1);
    double time = Double.parseDouble(cells[0]);
    double floor = Double.parseDouble(cells[6]);
    double share = Double.parseDouble(cells[7]);
    assertTrue(time > 0 && floor > 0, row);
    assertEquals(floor / time, share, 0.001 + 0.01 * share, row);
    String text = Files.readString(json);
    assertTrue(text.contains("\"timeMs\"") && text.contains("\"ceilingGbytePerSecond\""), text);
  }

  @Test
  void failedBenchmarksAreInTheTable() throws Exception {
    String output = run(quick("PoolingBenchmark", "-p", "operator=none", "-p", "device=cpu"));
    assertEquals(1, code);
    List<String> lines = output.lines().toList();
    assertEquals("  none  failed, see above", lines.get(lines.size() - 1));
  }

  @Test
  void cudnnIsSkippedWithItsReasonWithoutAGpu() {
    assertThrows(
        NoBenchmarksException.class, () -> run(quick("CudnnBenchmark", "-p", "device=cpu")));
    assertEquals(Optional.of("no GPU was asked for or found"), CudnnBenchmark.unavailable(false));
  }
}
