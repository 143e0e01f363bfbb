package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Ranges of the settings, and what is found out about the machine. */
final class SettingsTest {
  private static void refused(String part, Executable executable) {
    String message = assertThrows(IllegalArgumentException.class, executable).getMessage();
    assertTrue(message.contains(part) && message.contains("expected"), message);
  }

  @Test
  void everySettingHasItsRange() {
    MeasureSettings settings = MeasureSettings.defaults();
    CompileSettings compile = settings.compile();
    refused("warm-up runs -1", () -> new TimingSettings(-1, 1, 1, 0, 1));
    refused("runs 0", () -> new TimingSettings(0, 0, 1, 0, 1));
    refused("most runs 4", () -> new TimingSettings(0, 5, 4, 0, 1));
    refused("most runs 100001", () -> new TimingSettings(0, 5, 100_001, 0, 1));
    refused("total time in ms NaN", () -> new TimingSettings(0, 5, 5, Double.NaN, 1));
    refused("longest total time in ms -1", () -> new TimingSettings(0, 5, 5, 0, -1, 1));
    refused("longest time in ms 0.5", () -> new TimingSettings(0, 5, 5, 0, 0.5));
    refused("compiler is blank", () -> compile.withCompiler(" "));
    refused("compiler time limit", () -> compile.withTimeout(Duration.ZERO));
    refused("kernels a file 0", () -> compile.withBatching(0, 1));
    refused("compilers at a time 0", () -> compile.withBatching(1, 0));
    refused("threads 0", () -> settings.withThreads(0));
    refused("memory limit", () -> settings.withMemoryLimit(-1));
    refused("tolerance NaN", () -> settings.withTolerance(Double.NaN));
    refused("work folder", () -> settings.withFolders(Path.of("a"), Path.of("a\tb")));
    assertTrue(settings.withFolders(Path.of("a"), Path.of("b")).workFolder().isAbsolute());
    assertEquals(
        List.of("-O3", "-march=native", "-fopenmp", "-g"),
        compile.withFurtherFlags(List.of("-g")).flags());
  }

  @Test
  void theMachineIsDescribed() {
    Machine machine =
        Machine.detect(
            new Toolchain(Path.of("/usr/bin/cc"), "cc 1", "x86_64"), CompileSettings.defaults());
    assertFalse(machine.cpu().isBlank());
    assertTrue(machine.processors() >= 1);
    assertTrue(machine.memoryBytes() > 100_000_000, machine::toString);
    assertTrue(machine.kernel().startsWith("Linux"), machine::toString);
    assertEquals("cc 1", machine.compiler());
    assertEquals(machine.date().truncatedTo(ChronoUnit.SECONDS), machine.date());
    assertTrue(
        machine.caches().stream().allMatch(cache -> cache.matches("L\\d \\w+ \\d+[KM]")),
        machine::toString);
  }

  @Test
  void aTimeSpentIsOneLine() {
    TimeSpent spent =
        new TimeSpent(
            30,
            29,
            20,
            9,
            1,
            4_000_000_000L,
            6_000_000_000L,
            5_000_000_000L,
            1_000_000_000L,
            2_000_000_000L,
            3_000_000_000L,
            500_000_000L,
            12_000_000_000L);
    assertEquals(150, spent.schedulesPerMinute());
    assertEquals(500_000_000L, spent.otherNanos());
    assertEquals(
        "30 schedules (29 timed) in 12.0 s, 150 a minute: prepare 5.0 s (pack 4.0 s, compile 6.0 s"
            + " over all workers; 20 compiled, 9 cached), load 1.0 s (1 starts), check 2.0 s, run"
            + " 3.0 s, lost 0.5 s, other 0.5 s",
        spent.toString());
  }
}
