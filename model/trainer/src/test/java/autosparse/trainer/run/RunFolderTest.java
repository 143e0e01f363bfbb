package autosparse.trainer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.InputException;
import autosparse.trainer.run.MetricsLog.Entry;
import autosparse.trainer.run.MetricsLog.Kind;
import autosparse.trainer.run.RunFolder.Mode;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
  @TempDir Path parent;

  private String refusal(Path directory, Mode mode) {
    String message =
        assertThrows(InputException.class, () -> RunFolder.open(directory, mode).close())
            .getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.contains(directory.toString()), message);
    return message;
  }

  @Test
  void refusesWhatItCannotUse() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "");
    assertTrue(refusal(file.resolve("run"), Mode.NEW).startsWith("--out: cannot write to"));
    Path other = Files.createDirectory(parent.resolve("other"));
    Files.writeString(other.resolve("notes.txt"), "mine");
    assertTrue(refusal(other, Mode.NEW).contains("is not empty; --resume"));
    assertTrue(refusal(other, Mode.RESUME).contains("holds no run"));
    assertFalse(Files.exists(other.resolve("checkpoints")), "nothing half-written");
    Path run = parent.resolve("run");
    try (RunFolder open = RunFolder.open(run, Mode.NEW)) {
      assertTrue(refusal(run, Mode.FORCE).contains("in use by another run"));
      assertEquals(run, open.directory());
    }
  }

  @Test
  void forceDeletesTheRunAndNothingElse() throws IOException {
    Path run = parent.resolve("deep").resolve("run");
    try (RunFolder folder = RunFolder.open(run, Mode.NEW)) {
      folder.writeConfig(Map.of("seed", 1L));
      Files.writeString(folder.metricsFile(), "");
      Files.writeString(folder.reportFile(), "");
      TensorBoardEvents.start(run, 0).close();
      Files.writeString(run.resolve("notes.txt"), "mine");
    }
    RunFolder.open(run, Mode.RESUME).close();
    RunFolder.open(run, Mode.FORCE).close();
    try (var files = Files.list(run)) {
      assertEquals(
          List.of(".lock", "checkpoints", "notes.txt"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  @Test
  void configAndEnvironmentComeBack() throws IOException {
    Path run = parent.resolve("run");
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("data", "/a: b/#c");
    config.put("op", List.of("spmm", "spmv"));
    config.put("lr", 7e-4);
    config.put("seed", 1234567890123L);
    config.put("derived-features", "on");
    try (RunFolder folder = RunFolder.open(run, Mode.NEW)) {
      folder.writeConfig(config);
      folder.writeEnvironment(
          Environment.of("cpu", "auto: no driver", OptionalLong.of(3), Map.of("openblas", "0")));
    }
    Map<String, Object> read = RunFolder.readConfig(run);
    assertEquals(List.copyOf(config.keySet()), List.copyOf(read.keySet()));
    assertEquals(config.toString(), read.toString());
    JsonNode environment = new ObjectMapper().readTree(run.resolve("env.json").toFile());
    assertEquals("auto: no driver", environment.path("device_reason").asText());
    assertEquals(3, environment.path("seed").asLong());
    assertTrue(environment.path("cores").asInt() > 0);
    Files.writeString(run.resolve("config.yaml"), "a: [\n");
    assertTrue(
        assertThrows(InputException.class, () -> RunFolder.readConfig(run))
            .getMessage()
            .contains("config.yaml:"));
  }

  @Test
  void aResumedRunDropsWhatCameAfterItsCheckpoint() throws IOException {
    Path run = parent.resolve("run");
    try (RunFolder folder = RunFolder.open(run, Mode.NEW)) {
      try (RunRecorder recorder = RunRecorder.start(folder, 0)) {
        for (long step = 1; step <= 5; step++) {
          recorder.trained(step, 1, Map.of("loss", step == 2 ? Double.NaN : 1.0 / step));
        }
        recorder.evaluated(5, 1, Map.of("top1", 0.5));
      }
      Files.writeString(folder.metricsFile(), "{\"step\":6,\"kin", StandardOpenOption.APPEND);
      try (RunRecorder recorder = RunRecorder.start(folder, 3)) {
        assertEquals(3, recorder.entries().size());
        recorder.trained(4, 1, Map.of("loss", 0.125));
        assertEquals(4, recorder.entries().size());
      }
      List<Entry> entries = MetricsLog.read(folder.metricsFile());
      assertEquals(List.of(1L, 2L, 3L, 4L), entries.stream().map(Entry::step).toList());
      assertTrue(entries.get(1).values().get("loss").isNaN());
      assertEquals(new Entry(4, 1, Kind.TRAIN, Map.of("loss", 0.125)), entries.get(3));
      assertEquals(
          "{\"step\":2,\"epoch\":1,\"kind\":\"train\",\"loss\":null}",
          Files.readAllLines(folder.metricsFile()).get(1));
    }
  }
}
