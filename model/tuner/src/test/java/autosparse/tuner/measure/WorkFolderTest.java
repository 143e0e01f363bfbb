package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SmallDisk;
import autosparse.schedule.Op;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders that measurers work in: one each, none left behind, whatever happens. */
final class WorkFolderTest {
  @TempDir Path folder;

  private static List<Path> list(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.toList();
    }
  }

  @Test
  void thoseInUseStayAndAbandonedOnesGo() throws IOException {
    Path abandoned = Files.createDirectories(folder.resolve("autosparse-1/compile-2"));
    Files.createFile(folder.resolve("autosparse-1/lock"));
    Files.writeString(abandoned.resolve("kernels.c"), "");
    Path unrelated = Files.createDirectory(folder.resolve("autosparse-mine"));
    Path other = Files.createDirectory(folder.resolve("other"));
    try (WorkFolder first = WorkFolder.create(folder)) {
      assertTrue(Files.notExists(abandoned));
      Files.writeString(first.resolve("packed"), "");
      try (WorkFolder second = WorkFolder.create(folder)) {
        assertFalse(first.path().equals(second.path()));
        assertTrue(Files.exists(first.resolve("packed")));
      }
      assertEquals(3, list(folder).size());
    }
    assertTrue(Files.exists(unrelated) && Files.exists(other));
    assertEquals(2, list(folder).size());
  }

  /** kill -9 of this side: the child ends with it, and the next measurer tidies up. */
  @Test
  void aKilledMeasurerLeavesNothingForLong() throws Exception {
    MeasureSettings settings = HandWritten.settings(folder);
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Path kernel = Files.writeString(folder.resolve("kernel.c"), HandWritten.hangs(pipe));
    Path work = settings.workFolder();
    Process process =
        new ProcessBuilder(
                MeasureProgram.commandLine(folder, settings.cacheFolder(), work, 5, kernel))
            .start();
    long child;
    try (BufferedReader reader = Files.newBufferedReader(pipe)) {
      child = Long.parseLong(reader.readLine());
    }
    ProcessHandle runner = ProcessHandle.of(child).orElseThrow();
    assertEquals(1, list(work).size());
    process.destroyForcibly();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    runner.onExit().get(60, TimeUnit.SECONDS);
    assertEquals(List.of(), HandWritten.members(child));
    assertEquals(1, list(work).size());
    try (WorkFolder next = WorkFolder.create(work)) {
      assertEquals(List.of(next.path()), list(work));
    }
  }

  @Test
  void aFullDiskIsNoOutcomeAndLeavesNothingHalfWritten() throws Exception {
    MeasureSettings settings = HandWritten.settings(folder);
    Path disk = folder.resolve("disk");
    SmallDisk small = SmallDisk.require(disk, "400k");
    Path kernel = Files.writeString(folder.resolve("kernel.c"), HandWritten.right(Op.SPMV));
    Path elsewhere = settings.workFolder();
    // The matrix, its packed form, and what is compiled.
    List<List<String>> commands =
        List.of(
            MeasureProgram.commandLine(folder, elsewhere, disk, 100_000, kernel),
            MeasureProgram.commandLine(folder, elsewhere, disk, 40_000, kernel),
            MeasureProgram.commandLine(folder, disk, elsewhere, 5, kernel));
    List<String> files = List.of("matrix (", "packed-1 (", "cannot keep ");
    List<String> left = List.of("", "", "compiled-1\n");
    for (int n = 0; n < commands.size(); n++) {
      // The last disk is full of something else.
      String fill = n == 2 ? "head -c 400k /dev/zero >'" + disk + "/filler' && " : "";
      String script =
          fill
              + SmallDisk.quoted(commands.get(n))
              + "; rm -f '"
              + disk
              + "/filler'; ls '"
              + disk
              + "'; find '"
              + disk
              + "' -type f | wc -l";
      Process process = small.shell(script).redirectErrorStream(true).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor());
      String line = out.lines().findFirst().orElse("");
      assertTrue(line.startsWith("thrown: "), out);
      assertTrue(line.contains("No space left on device") && line.contains(files.get(n)), out);
      assertEquals(left.get(n) + "0\n", out.substring(line.length() + 1));
    }
  }
}
