package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SharedData;
import autosparse.costmodel.checkpoint.SafetensorsFile;
import autosparse.costmodel.checkpoint.WacoWeights;
import autosparse.costmodel.pytorch.PyTorchArchive;
import autosparse.costmodel.pytorch.PyTorchArchive.Pickle;
import autosparse.costmodel.pytorch.WacoByHand;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.WacoFeatures;
import autosparse.schedule.WacoSchedule;
import autosparse.trainer.run.RunFolder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code import}, and the other commands with what it has made. */
class ImportCommandTest {
  @TempDir Path folder;
  private final Program program = new Program();

  private Path write(String name, byte[] bytes) throws IOException {
    return PyTorchArchive.write(folder, name, bytes);
  }

  private List<String> importing(Op op, Path weights, String... more) {
    List<String> arguments =
        List.of(
            "import",
            "--format",
            "waco",
            "--op",
            op.id(),
            "--weights",
            weights.toString(),
            "--out",
            folder.resolve("run").toString());
    return Program.join(arguments, more);
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void rankEvaluateAndExportTakeWhatWasImported(Op op) throws IOException {
    WacoByHand network = WacoByHand.random(op, 5);
    Path run = folder.resolve("run");
    program.succeed(
        importing(
            op,
            write("weights.pth", network.toBytes()),
            "--shape-mean",
            "40,40,100",
            "--shape-std",
            "10,20,50"));
    assertTrue(program.out().contains("waco of " + op.id()), program.out());
    TinyWacoData data = TinyWacoData.write(folder.resolve("data"));
    Path matrix = data.matrices().resolve("m1.csr");
    Path file = data.file(op, "m1");
    program.succeed(
        List.of(
            "rank",
            "--checkpoint",
            run.toString(),
            "--op",
            op.id(),
            "--matrix",
            matrix.toString(),
            "--schedules",
            file.toString(),
            "--top",
            "100"));
    List<String> ranked = program.out().lines().skip(1).map(line -> line.strip()).toList();
    assertEquals(
        byHand(network, matrix, file), ranked.stream().map(l -> l.split(" +", 3)[2]).toList());
    List<String> evaluate =
        Program.join(
            List.of("evaluate", "--checkpoint", run.toString()),
            "--data",
            data.records().toString(),
            "--matrices",
            data.matrices().toString());
    program.succeed(evaluate);
    assertTrue(program.out().contains("on 180 schedules"), program.out());
    for (String text : List.of("pattern-blind", "random pick", op.id())) {
      assertTrue(program.out().contains(text), text + " in " + program.out());
    }
    program.succeed(Program.join(evaluate, "--only", "m0,m2"));
    assertTrue(program.out().contains("on 120 schedules"), program.out());
    assertTrue(!program.out().contains(" m1 "), program.out());
    program.refuse(Program.join(evaluate, "--only", "m3"), "--only", "m3", "m0, m1, m2");
    Op other = op == Op.SPMV ? Op.SPMM : Op.SPMV;
    program.refuse(Program.join(evaluate, "--op", other.id()), "not of " + other.id());
    Path exported = folder.resolve("weights.safetensors");
    program.succeed(
        List.of("export", "--checkpoint", run.toString(), "--out", exported.toString()));
    try (SafetensorsFile weights = SafetensorsFile.open(exported)) {
      Map<String, String> names = WacoWeights.publishedNames(op);
      assertEquals(names.size(), weights.tensors().size());
      names.forEach(
          (ours, published) ->
              assertArrayEquals(network.values().get(published), weights.floats(ours), ours));
    }
  }

  /** The lines of a file, without latencies, as the network's description orders them. */
  private static List<String> byHand(WacoByHand network, Path matrix, Path file)
      throws IOException {
    SparsityPattern pattern = MatrixReader.read(matrix);
    double[] shape = {
      (pattern.rows() - 40) / 10.0, (pattern.cols() - 40) / 20.0, (pattern.nnz() - 100) / 50.0
    };
    List<Map.Entry<String, Double>> predictions = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      Schedule schedule =
          WacoSchedule.parseMeasured(network.op(), line, SourceLocation.of(file, 1)).schedule();
      predictions.add(
          Map.entry(
              line.substring(0, line.indexOf(" =")),
              network.predict(pattern, shape, WacoFeatures.of(network.op(), schedule))));
    }
    predictions.sort(Comparator.comparingDouble(Map.Entry::getValue));
    return predictions.stream().map(Map.Entry::getKey).toList();
  }

  /** The published network on the published latencies, two matrices, at shape (0, 0, 0). */
  @Test
  void thePublishedNetworkRanksThePublishedRecords() throws IOException {
    Path weights = SharedData.require("waco/weights/waco-spmm.pth");
    Path run = folder.resolve("run");
    program.succeed(importing(Op.SPMM, weights));
    assertTrue(program.out().contains("42 tensors, 376,769 parameters"), program.out());
    JsonNode facts = new ObjectMapper().readTree(run.resolve("env.json").toFile());
    assertEquals(64, facts.path("weights_sha256").asText().length());
    List<String> evaluate =
        List.of(
            "evaluate",
            "--checkpoint",
            run.toString(),
            "--data",
            SharedData.require("waco/collected").toString(),
            "--matrices",
            SharedData.require("matrices").toString());
    program.refuse(evaluate, "Chevron3_4x16_1 is missing", "--only");
    program.succeed(Program.join(evaluate, "--only", "Trec6_16x16_9,nemspmm1_16x4_0"));
    List<String[]> rows =
        program.out().lines().filter(l -> l.startsWith("spmm ")).map(l -> l.split(" +")).toList();
    assertEquals(2, rows.size(), program.out());
    for (String[] row : rows) {
      // op, matrix, schedules, top-1, top-5, pairs, pairs of the pattern-blind
      assertEquals("1.000", row[4], program.out());
      double pairs = Double.parseDouble(row[5]);
      assertTrue(pairs > 0.93 && pairs < 0.97, program.out());
      assertTrue(pairs > Double.parseDouble(row[6]) + 0.03, program.out());
    }
  }

  private void assertRefused(Op op, byte[] weights, String... parts) throws IOException {
    Path file = write("bad.pth", weights);
    program.refuse(
        importing(op, file), Program.join(List.of("bad.pth: "), parts).toArray(String[]::new));
    assertEquals("", program.out());
    assertTrue(Files.notExists(folder.resolve("run")), "nothing written");
  }

  @Test
  void badWeightsAreOneLineAndLeaveNothing() throws IOException {
    WacoByHand network = WacoByHand.random(Op.SPMM, 5);
    byte[] whole = network.toBytes();
    assertRefused(Op.SPMM, Arrays.copyOf(whole, whole.length / 2), "no whole zip archive");
    assertRefused(Op.SDDMM, whole, "weights of spmm, expected sddmm");
    network.sizes().put("extra.weight", new long[] {2});
    network.values().put("extra.weight", new float[2]);
    assertRefused(Op.SPMM, network.toBytes(), "'extra.weight' is not of this model");
    network.sizes().remove("extra.weight");
    network.sizes().put("order.bias", new long[] {4, 8});
    assertRefused(Op.SPMM, network.toBytes(), "'order.bias' has shape [4, 8], expected [32]");
    network.sizes().remove("order.bias");
    assertRefused(Op.SPMM, network.toBytes(), "'order.bias' is missing");
    Path touched = folder.resolve("touched");
    byte[] pickle =
        new Pickle().global("os", "system").text("touch " + touched).op(0x85).op('R').end();
    assertRefused(Op.SPMM, PyTorchArchive.zip(pickle, Map.of()), "names os.system", "refused");
    assertTrue(Files.notExists(touched));
    program.refuse(importing(Op.SPMM, folder.resolve("none.pth")), "none.pth: no such file");
  }

  @ParameterizedTest
  @CsvSource({
    "'1,2', '1,2,3', --shape-mean",
    "'1,2,3', '1,2', --shape-std",
    "'1,2,3', '1,0,3', --shape-std",
    "'1,2,NaN', '1,2,3', --shape-mean",
    "'1,2,x', '1,2,3', --shape-mean"
  })
  void constantsAreThreeNumbers(String mean, String deviation, String option) throws IOException {
    Path file = write("weights.pth", WacoByHand.random(Op.SPMM, 5).toBytes());
    program.refuse(
        importing(Op.SPMM, file, "--shape-mean", mean, "--shape-std", deviation), option);
    program.refuse(importing(Op.SPMM, file, "--shape-mean", "1,2,3"), "--shape-std", "both");
    assertTrue(Files.notExists(folder.resolve("run")), "nothing written");
  }

  @Test
  void anImportedRunIsNoTrainingRun() throws IOException {
    Path file = write("weights.pth", WacoByHand.random(Op.SPMM, 5).toBytes());
    Path run = folder.resolve("run");
    program.succeed(importing(Op.SPMM, file));
    program.refuse(importing(Op.SPMM, file), "--out", "is not empty", "--force");
    program.succeed(importing(Op.SPMM, file, "--force"));
    program.refuse(
        List.of("train", "--out", run.toString(), "--resume"), "--resume", "imported weights");
    assertEquals(List.of(0L), RunFolder.checkpointsOf(run).steps());
  }

  @Test
  void linesOfTheOtherGrammarAreRefusedByTheirNumber() throws IOException {
    Path file = write("weights.pth", WacoByHand.random(Op.SPMM, 5).toBytes());
    program.succeed(importing(Op.SPMM, file));
    TinyWacoData data = TinyWacoData.write(folder.resolve("data"));
    List<String> lines = new ArrayList<>(Files.readAllLines(data.file(Op.SPMM, "m0")));
    lines.set(4, "2 i 2 i0 8 i1 4");
    Path mixed = Files.write(folder.resolve("mixed.txt"), lines);
    List<String> rank =
        List.of(
            "rank",
            "--checkpoint",
            folder.resolve("run").toString(),
            "--matrix",
            data.matrices().resolve("m0.csr").toString(),
            "--schedules");
    program.refuse(Program.join(rank, mixed.toString()), "mixed.txt:5", "inner size of k");
    program.refuse(Program.join(rank, data.file(Op.SPMV, "m0").toString()), "m0.txt:1");
  }
}
