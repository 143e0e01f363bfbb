package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.DataSetFolder;
import autosparse.schedule.Dataset;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job, on the data set that the product ships. */
class DemoCommandTest {
  private static final long MOST_BYTES = 4_000_000;

  @TempDir Path folder;
  private final Program program = new Program();

  @Test
  void theBundledDataSetIsWhole() throws IOException {
    Path data = folder.resolve("data");
    BundledData.ofProduct().unpackTo(data);
    try (Stream<Path> files = Files.walk(data)) {
      long bytes =
          files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
      assertTrue(bytes < MOST_BYTES, bytes + " bytes");
    }
    List<Op> ops = Arrays.asList(Op.values());
    Dataset records = Dataset.load(data, ops);
    records.requireMatrices(MatrixFolder.open(new DataSetFolder(data).matrices()));
    assertEquals(40, records.matrices().size());
    assertEquals(120, records.tasks().size());
    records
        .tasks()
        .forEach(task -> assertTrue(task.size() >= 40, task + ": too few to rank schedules"));
    for (Op op : ops) {
      assertTrue(records.noise(op).repeated() > 40, op + ": repeats, to know the noise");
    }
    List<String> heldOut = new DataSetFolder(data).heldOut().orElseThrow();
    Split split = Split.base(records, heldOut);
    assertTrue(split.trainSize() > split.validationSize());
  }

  @Test
  void demoTrainsJudgesAndReports() throws IOException {
    Path run = folder.resolve("demo");
    List<String> demo =
        List.of("demo", "--out=" + run, "--data=" + folder.resolve("data"), "--device=cpu");
    program.succeed(Program.join(demo, "--epochs=1"));
    for (String text :
        List.of("train --", "pattern-blind", "random pick", "features-mlp", "noise ceiling")) {
      assertTrue(program.out().contains(text), () -> "no '" + text + "' in " + program.out());
    }
    assertTrue(Files.readString(run.resolve("report.html")).contains("<svg"));
    program.refuse(demo, "is not empty", "--resume", "--force");
    program.succeed(
        List.of("demo", "--out=" + run, "--data=" + folder.resolve("data"), "--resume"));
  }

  @Test
  void aDeviceThatIsNotThereIsRefusedBeforeAnythingIsWritten() {
    Path data = folder.resolve("data");
    program.refuse(
        List.of("demo", "--out=" + folder.resolve("demo"), "--data=" + data, "--device=gpu"),
        "--device");
    assertFalse(Files.exists(data));
  }
}
