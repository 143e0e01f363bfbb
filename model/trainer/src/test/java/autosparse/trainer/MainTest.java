package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path folder;

  private int run(String... args) {
    out.reset();
    err.reset();
    return new Main(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(args);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private void assertBadInput(String part, String... args) {
    assertEquals(2, run(args), err());
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().startsWith("error: "), err());
    assertTrue(err().contains(part), err());
    assertEquals("", out());
  }

  static Set<String> commands() {
    return new CommandLine(new Main(System.out, System.err)).getSubcommands().keySet();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandExplainsItself(String command) {
    assertEquals(0, run(command, "--help"));
    assertTrue(out().startsWith("Usage: trainer " + command), out());
    assertEquals("", err());
    assertTrue(
        out().lines().allMatch(line -> line.length() <= 100), "wider than 100 columns:\n" + out());
  }

  @Test
  void withoutACommandItExplainsWhatThereIs() {
    assertEquals(0, run());
    assertTrue(commands().size() > 8, commands().toString());
    commands().forEach(name -> assertTrue(out().contains("\n  " + name), name));
    new CommandLine(new Main(System.out, System.err))
        .getSubcommands()
        .forEach(
            (name, command) -> {
              String listed = command.getCommandSpec().usageMessage().description()[0];
              assertTrue(listed.endsWith("."), name + " is listed with half a sentence: " + listed);
            });
    assertTrue(out().contains("130"), out());
    assertEquals(0, run("--version"));
    assertTrue(out().startsWith("AutoSparse Net "), out());
  }

  @Test
  void wrongUsageIsOneLine() {
    assertBadInput("Unknown option: '--speed'", "train", "--out", "x", "--speed");
    assertBadInput("see `trainer train --help`", "train");
    assertBadInput("Unmatched argument", "fly");
    assertBadInput("'--matrices=DIR'", "train", "--out", "x", "--data", "d");
    assertBadInput("no such file", "evaluate", "--checkpoint", folder + "/none");
    assertBadInput("expected one of them", "train", "--out", "x", "--resume", "--force");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--op|spxx|expected spmv, spmm or sddmm",
        "--split|half|expected random, base or none",
        "--split|none|there must be something to train on",
        "--batches-per-epoch|-1|expected a number from 0",
        "--model|gpt|features-mlp",
        "--loss|mse|lambdarank",
        "--channels|6|expected a multiple of 4",
        "--attention-layers|3|expected 1 or 2",
        "--lr|0|expected a number above 0",
        "--lr|NaN|expected a number above 0",
        "--epochs|0|expected a whole number above 0",
        "--epochs|ten|is not an int",
        "--batch|1|a ranking needs pairs",
        "--clip|-1|expected a number from 0",
        "--ema|1.5|a share of the run, from 0 to 1",
        "--ema|NaN|a share of the run, from 0 to 1",
        "--feature-bins|257|256",
        "--split-seed|one|is not a long",
        "--device|tpu|expected auto, cpu, cuda",
        "--precision|fp16|fp32, tf32, bf16",
        "--memory-budget|much|such as 6g",
        "--memory-budget|0|such as 6g",
        "--host-memory-budget|lots|auto or a size such as 6g",
        "--host-memory-budget|0|such as 6g",
        "--host-memory-budget|-1|such as 6g",
        "--host-memory-budget|3x|such as 6g",
        "--derived-features|maybe|on, off",
        "--held-out|mhd4800a|--split base only",
      })
  void wrongValuesNameOptionValueAndWhatIsExpected(String option, String value, String expected) {
    Path run = folder.resolve("run");
    assertBadInput(
        expected,
        "train",
        "--data",
        "d",
        "--matrices",
        "m",
        "--out",
        run.toString(),
        option,
        value);
    assertTrue(err().contains(option), err());
    assertTrue(err().contains(value), err());
    assertTrue(Files.notExists(run), "nothing written");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tf32", "bf16"})
  void theCpuRefusesOtherPrecisions(String precision) {
    Path run = folder.resolve("run");
    assertBadInput(
        "--precision: " + precision + ", expected auto or fp32: the cpu device computes in fp32",
        "train",
        "--data=d",
        "--matrices=m",
        "--out=" + run,
        "--device=cpu",
        "--precision=" + precision);
    assertTrue(Files.notExists(run), "nothing written");
    assertBadInput("computes in fp32", "doctor", "--device=cpu", "--precision=" + precision);
  }

  @Test
  void debugShowsWhere() {
    assertEquals(2, run("--debug", "export", "--checkpoint", folder + "/none", "--out", "x"));
    assertTrue(err().contains("\tat autosparse.trainer."), err());
    assertEquals(2, run("export", "--debug", "--checkpoint", folder + "/none", "--out", "x"));
    assertTrue(err().contains("\tat autosparse.trainer."), err());
  }
}
