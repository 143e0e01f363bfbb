package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundledDataTest {
  @TempDir Path folder;

  private static BundledData sample(String name) {
    return BundledData.of(BundledDataTest.class, name + "/");
  }

  private List<Path> left() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void unpacksEveryFileOnceAndTakesWhatIsThere() throws IOException {
    Path target = folder.resolve("deep/data");
    sample("bundled-sample").unpackTo(target);
    assertEquals("one\n", Files.readString(target.resolve("records/one.txt")));
    assertEquals("two\n", Files.readString(target.resolve("two.txt")));
    Object before = Files.readAttributes(target.resolve("two.txt"), "lastModifiedTime,fileKey");
    sample("bundled-sample").unpackTo(target);
    assertEquals(
        before, Files.readAttributes(target.resolve("two.txt"), "lastModifiedTime,fileKey"));
    try (Stream<Path> siblings = Files.list(target.getParent())) {
      assertEquals(List.of(target), siblings.toList());
    }
  }

  @Test
  void refusesAFolderThatHoldsSomethingElse() throws IOException {
    Path target = folder.resolve("data");
    sample("bundled-sample").unpackTo(target);
    Files.writeString(target.resolve("records/one.txt"), "three\n");
    InputException changed =
        assertThrows(InputException.class, () -> sample("bundled-sample").unpackTo(target));
    assertTrue(changed.getMessage().contains("records/one.txt"), changed.getMessage());
    Files.delete(target.resolve("records/one.txt"));
    assertThrows(InputException.class, () -> sample("bundled-sample").unpackTo(target));
  }

  @Test
  void aDamagedJarLeavesNothingBehind() throws IOException {
    Path target = folder.resolve("data");
    IllegalStateException damaged =
        assertThrows(IllegalStateException.class, () -> sample("bundled-damaged").unpackTo(target));
    assertTrue(damaged.getMessage().contains("two.txt"), damaged.getMessage());
    assertEquals(List.of(), left());
    assertThrows(FileWriteException.class, () -> sample("bundled-missing-file").unpackTo(target));
    assertEquals(List.of(), left());
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    FileWriteException failure =
        assertThrows(
            FileWriteException.class,
            () -> sample("bundled-sample").unpackTo(file.resolve("data")));
    assertTrue(failure.getMessage().contains("data"), failure.getMessage());
  }
}
