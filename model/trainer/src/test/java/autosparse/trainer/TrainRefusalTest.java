package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SmallDisk;
import autosparse.trainer.run.RunFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What training refuses, and what is left behind. */
@ExtendWith(TrainedRun.Once.class)
class TrainRefusalTest {
  @TempDir Path folder;
  private final TrainedRun trained;
  private final Program program = new Program();

  TrainRefusalTest(TrainedRun trained) {
    this.trained = trained;
  }

  @Test
  void aLossThatIsNoNumberEndsTheRun() throws IOException {
    Path run = folder.resolve("diverged");
    // The first step leaves weights of 1e30 and more, whose products overflow in the second.
    assertEquals(
        2, program.run(trained.train(run, "--lr", "1", "--weight-decay", "1e30", "--clip", "0")));
    String error = program.err();
    assertTrue(error.contains(": the loss is NaN; a lower --lr"), error);
    assertEquals(List.of(), RunFolder.checkpointsOf(run).steps());
  }

  @Test
  void brokenInputIsOneLineAndLeavesNoFolder() throws IOException {
    TinyDataSet broken = TinyDataSet.write(folder.resolve("broken"));
    Path run = folder.resolve("deep/run");
    List<String> command =
        Program.join(
            Program.join(List.of("train"), broken.arguments("spmm").toArray(String[]::new)),
            "--out",
            run.toString());
    Path records = broken.records().resolve("spmm/m1.txt");
    List<String> lines = Files.readAllLines(records);
    for (String[] change :
        new String[][] {
          {"A 4 i0 0", "A 4 i0 9", "mode"},
          {"A 4 i0 0", "A 4 q0 0", "q0"},
          {" 0 8 ", " 0 x ", "threads"},
          {" None None 0 ", " None ", "m1.txt:3"},
        }) {
      List<String> changed = new ArrayList<>(lines);
      String line = lines.get(2);
      int at = line.lastIndexOf(change[0]);
      assertTrue(at >= 0, line);
      changed.set(2, line.substring(0, at) + change[1] + line.substring(at + change[0].length()));
      Files.write(records, changed);
      program.refuse(command, "m1.txt:3", change[2]);
    }
    Files.write(records, lines);
    Path matrix = broken.matrices().resolve("m1.csr");
    byte[] csr = Files.readAllBytes(matrix);
    for (int length : new int[] {0, 8, 12, csr.length - 4}) {
      Files.write(matrix, Arrays.copyOf(csr, length));
      program.refuse(command, "m1.csr", "truncated");
    }
    Files.delete(matrix);
    program.refuse(command, "m1.txt", "m1 is missing");
    Path market = broken.matrices().resolve("m1.mtx");
    String banner = "%%MatrixMarket matrix coordinate pattern general\n";
    for (String text :
        List.of("", "3 3 1\n1 1\n", banner + "3 3\n", banner + "3 3 2\n1 1\n9 1\n", banner)) {
      Files.writeString(market, text);
      program.refuse(command, "m1.mtx");
    }
    Path published = Path.of(System.getProperty("autosparse.shared", "../shared"), "data/mtx");
    for (String name :
        List.of("mangled1.mtx", "mangled4.mtx", "mangled7.mtx", "west0067_noheader.mtx")) {
      if (Files.exists(published.resolve(name))) {
        Files.write(market, Files.readAllBytes(published.resolve(name)));
        program.refuse(command, "m1.mtx");
      } else {
        System.err.println("left out: no " + published.resolve(name));
      }
    }
    assertTrue(Files.notExists(run.getParent()), "nothing written");
  }

  @Test
  void anUnwritableFolderIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    program.refuse(trained.train(file.resolve("run")), "--out: cannot write to");
    program.refuse(trained.train(Path.of("/proc/run")), "--out: cannot write to /proc/run");
    assertEquals("mine", Files.readString(file));
  }

  @Test
  void aFullDiskLeavesTheOlderCheckpoint() throws Exception {
    Path folderOfDisk = folder.resolve("disk");
    SmallDisk disk = SmallDisk.require(folderOfDisk, "16m");
    Path run = folderOfDisk.resolve("run");
    // Without bins one checkpoint fits on the disk and a second one does not.
    String train = SmallDisk.quoted(Program.commandLine(trained.train(run, "--feature-bins", "0")));
    String evaluate =
        SmallDisk.quoted(
            Program.commandLine(
                Program.join(
                    Program.join(
                        List.of("evaluate"),
                        trained.data().arguments("spmm").toArray(String[]::new)),
                    "--checkpoint",
                    run.toString())));
    String script =
        train
            + " 2>'"
            + folder
            + "/train'; echo trained $?; ls '"
            + run
            + "/checkpoints'; "
            + evaluate
            + " 2>'"
            + folder
            + "/evaluate'; echo evaluated $?";
    Process process = disk.shell(script).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    List<String> err = Files.readAllLines(folder.resolve("train"));
    String all = out + "\n" + String.join("\n", err);
    assertTrue(out.contains("trained 1\n"), all);
    List<String> errors = err.stream().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, errors.size(), all);
    assertTrue(errors.get(0).contains("No space left on device"), all);
    assertTrue(out.contains(".json"), all);
    assertTrue(!out.contains(".tmp"), all);
    assertTrue(out.contains("evaluated 0\n"), all + Files.readString(folder.resolve("evaluate")));
  }

  @Test
  void moreBinsThanOneFeatureCanHaveAreRefused() {
    program.refuse(
        trained.train(folder.resolve("many"), "--feature-bins", "257"),
        "--feature-bins",
        "257",
        "256");
  }
}
