package autosparse.costmodel.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.Shape;
import autosparse.schedule.InputException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFolderTest {
  @TempDir Path directory;

  private Checkpoint save(CheckpointFolder folder, long step) {
    ObjectNode state = new ObjectMapper().createObjectNode().put("cursor", Long.MAX_VALUE - step);
    float[] values = {step, step + 1};
    return folder.save(
        step, Map.of("model", "{}"), List.of(StoredTensor.floats("w", Shape.of(2), values)), state);
  }

  @Test
  void comesBackAsSaved() {
    CheckpointFolder folder = new CheckpointFolder(directory);
    save(folder, 7);
    Checkpoint found = folder.newestValid(warning -> {}).orElseThrow();
    assertEquals(7, found.step());
    assertEquals(Long.MAX_VALUE - 7, found.state().path("cursor").asLong());
    try (SafetensorsFile file = SafetensorsFile.open(found.tensors())) {
      assertArrayEquals(new float[] {7, 8}, file.floats("w"));
    }
  }

  @Test
  void damagedCheckpointsArePassedOver() throws IOException {
    CheckpointFolder folder = new CheckpointFolder(directory);
    for (long step = 1; step <= 5; step++) {
      save(folder, step);
    }
    Path cut = directory.resolve("step-00000005.safetensors");
    byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, Arrays.copyOf(bytes, bytes.length - 1));
    bytes[bytes.length - 1] ^= 1;
    Files.write(directory.resolve("step-00000004.safetensors"), bytes);
    Files.writeString(directory.resolve("step-00000003.json"), "{\"format\":");
    Files.delete(directory.resolve("step-00000002.safetensors"));
    List<String> warnings = new ArrayList<>();
    assertEquals(1, folder.newestValid(warnings::add).orElseThrow().step());
    assertEquals(4, warnings.size());
    assertTrue(warnings.get(0).contains("cut short"), warnings.get(0));
    assertTrue(warnings.get(1).contains("CRC-32C"), warnings.get(1));
    assertTrue(warnings.get(2).contains("not valid JSON"), warnings.get(2));
    assertTrue(warnings.get(3).contains("no such file"), warnings.get(3));
    warnings.forEach(warning -> assertEquals(1, warning.lines().count(), warning));
    assertThrows(InputException.class, () -> folder.read(9));
  }

  @Test
  void keepsTheNewestAndTheNamed() throws IOException {
    CheckpointFolder folder = new CheckpointFolder(directory);
    for (long step = 1; step <= 6; step++) {
      save(folder, step * 10);
    }
    Files.delete(directory.resolve("step-00000030.json"));
    Files.writeString(directory.resolve("notes.txt"), "mine");
    folder.keep(2, List.of(20L));
    assertEquals(List.of(20L, 50L, 60L), folder.steps());
    try (var files = Files.list(directory)) {
      assertEquals(7, files.count());
    }
    folder.clear();
    assertEquals(List.of(), folder.steps());
    assertTrue(Files.exists(directory.resolve("notes.txt")));
  }
}
