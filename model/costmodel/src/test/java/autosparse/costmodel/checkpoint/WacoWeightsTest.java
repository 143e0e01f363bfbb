package autosparse.costmodel.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.pytorch.PyTorchArchive;
import autosparse.costmodel.pytorch.WacoByHand;
import autosparse.costmodel.tokens.Scaling;
import autosparse.engine.HostDevice;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.WacoFeatures;
import autosparse.schedule.WacoSchedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class WacoWeightsTest {
  private static final SparsityPattern PATTERN = SyntheticData.pattern("m", 60, 45, 4, 5);
  private static final Scaling SHAPE =
      new Scaling(new float[] {50, 50, 200, 0}, new float[] {0.1f, 0.05f, 0.01f, 0});

  @TempDir Path folder;

  private Path file(WacoByHand network) throws IOException {
    return PyTorchArchive.write(folder, "weights.pth", network.toBytes());
  }

  /** Lines in WACO's grammar, every part of it at more than one value. */
  private static List<Schedule> schedules(Op op) {
    List<String> lines =
        switch (op) {
          case SPMV ->
              List.of(
                  "1 8 i1 k1 i0 k0 0 1 0 1 i1 48 4",
                  "16 65536 k1 i1 k0 i0 1 1 0 0 i1 48 256",
                  "32 2 i1 i0 k1 k0 1 0 1 0 i1 48 1");
          case SPMM ->
              List.of(
                  "4 1 128 k1 i1 j1 k0 i0 j0 1 1 1 0 i1 48 64",
                  "65536 16 2 i1 k1 i0 k0 j1 j0 0 0 1 1 i1 48 256",
                  "2 4096 1 j1 i1 k1 i0 j0 k0 0 1 0 1 j1 48 1");
          case SDDMM ->
              List.of(
                  "1 8 4 i1 j1 k1 j0 i0 k0 0 1 0 1 i1 48 4",
                  "64 2 128 j1 i1 k1 k0 j0 i0 1 1 1 0 j1 48 32",
                  "4 65536 1 k1 j1 i1 j0 k0 i0 0 0 1 1 k1 48 1");
        };
    return lines.stream()
        .map(line -> WacoSchedule.parse(op, line, SourceLocation.of(Path.of("lines"), 1)))
        .toList();
  }

  private static double[] scores(TensorScope scope, CostModel model, List<Schedule> schedules) {
    Op op = model.config().ops().get(0);
    Problem problem = Problem.of(op, PATTERN).withDenseSize(op.wacoDenseSize());
    CostModel.EncodedTask task = model.encode(PATTERN, problem, schedules);
    int[] all = IntStream.range(0, schedules.size()).toArray();
    Sites.Pattern sites =
        new Sites.Pattern(PATTERN.rows(), PATTERN.cols(), PATTERN.rowPointers(), PATTERN.columns());
    try (PatternPyramid pyramid = new PatternPyramid(scope, sites);
        Tape tape = Tape.inference(scope)) {
      Variable pools = model.pattern(tape, pyramid);
      return model.scores(tape, pools, List.of(new Selection(task, 0, all))).value().toDoubles();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SPMV, reference, 371777, 1e-12",
    "SPMV, cpu, 371777, 1e-5",
    "SPMM, reference, 376769, 1e-12",
    "SPMM, cpu, 376769, 1e-5",
    "SDDMM, reference, 380961, 1e-12",
    "SDDMM, cpu, 380961, 1e-5"
  })
  void theNetworkOfEachOperatorPredictsWhatItsDescriptionSays(
      Op op, String deviceName, long parameters, double tolerance) throws IOException {
    WacoByHand byHand = WacoByHand.random(op, 7);
    List<Schedule> schedules = schedules(op);
    double[] shape = new double[3];
    double[] raw = {PATTERN.rows(), PATTERN.cols(), PATTERN.nnz()};
    for (int i = 0; i < shape.length; i++) {
      shape[i] = (float) ((raw[i] - SHAPE.mean()[i]) * SHAPE.inverseDeviation()[i]);
    }
    HostDevice.Options options = HostDevice.Options.defaults().withThreads(2).withGuards();
    try (HostDevice device =
            deviceName.equals("cpu") ? HostDevice.cpu(options) : HostDevice.reference(options);
        CostModel model = WacoWeights.read(file(byHand), op, SHAPE, device.root()).model()) {
      assertEquals(parameters, model.parameters().count());
      double[] scores = scores(device.root(), model, schedules);
      for (int s = 0; s < scores.length; s++) {
        double expected = byHand.predict(PATTERN, shape, WacoFeatures.of(op, schedules.get(s)));
        // Lower is faster there, larger here.
        assertEquals(-expected, scores[s], tolerance * Math.max(1, Math.abs(expected)));
      }
      assertTrue(Arrays.stream(scores).distinct().count() == scores.length);
    }
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void aFileOfOursKeepsThem(Op op) throws IOException {
    Path written = folder.resolve("waco.safetensors");
    HostDevice.Options options = HostDevice.Options.defaults().withThreads(1);
    try (HostDevice device = HostDevice.cpu(options)) {
      ModelFile.Loaded imported =
          WacoWeights.read(file(WacoByHand.random(op, 3)), op, SHAPE, device.root());
      ModelFile.writeWeights(written, imported.model(), imported.statistics());
      ModelFile.Loaded read = ModelFile.read(written, device.root());
      assertEquals(List.of(op), read.model().config().ops());
      assertEquals(
          Arrays.toString(scores(device.root(), imported.model(), schedules(op))),
          Arrays.toString(scores(device.root(), read.model(), schedules(op))));
      imported.model().close();
      read.model().close();
    }
  }

  private void assertRefused(byte[] bytes, Op op, String... parts) throws IOException {
    Path path = PyTorchArchive.write(folder, "bad.pth", bytes);
    try (HostDevice device = HostDevice.cpu(HostDevice.Options.defaults().withThreads(1))) {
      String message =
          assertThrows(
                  InputException.class,
                  () -> WacoWeights.read(path, op, Scaling.zero(4), device.root()))
              .getMessage();
      assertEquals(1, message.lines().count(), message);
      assertTrue(message.startsWith(path + ": "), message);
      for (String part : parts) {
        assertTrue(message.contains(part), () -> "no '" + part + "' in " + message);
      }
      assertEquals(0, device.root().liveBytes(), "nothing left on the device");
    }
  }

  @Test
  void weightsOfAnotherOperatorAreNamed() throws IOException {
    for (Op op : Op.values()) {
      byte[] bytes = WacoByHand.random(op, 1).toBytes();
      for (Op other : Op.values()) {
        if (other != op) {
          assertRefused(bytes, other, "weights of " + op.id() + ", expected " + other.id());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void everyNameAndShapeIsChecked(Op op) throws IOException {
    List<String> names = new ArrayList<>(WacoByHand.random(op, 1).sizes().keySet());
    for (String name : names) {
      WacoByHand missing = WacoByHand.random(op, 1);
      missing.sizes().remove(name);
      assertRefused(missing.toBytes(), op, "tensor '" + name + "' is missing", op.id());
      WacoByHand misshapen = WacoByHand.random(op, 1);
      long[] size = misshapen.sizes().get(name).clone();
      size[0] += 1;
      misshapen.sizes().put(name, size);
      misshapen.values().put(name, new float[(int) Arrays.stream(size).reduce(1, (a, b) -> a * b)]);
      assertRefused(
          misshapen.toBytes(), op, "tensor '" + name + "' has shape " + Arrays.toString(size));
    }
    WacoByHand more = WacoByHand.random(op, 1);
    more.sizes().put("layer15.0.kernel", new long[] {1});
    more.values().put("layer15.0.kernel", new float[1]);
    assertRefused(more.toBytes(), op, "'layer15.0.kernel' is not of this model");
    WacoByHand empty = WacoByHand.random(op, 1);
    empty.sizes().clear();
    assertRefused(empty.toBytes(), op, "more)");
  }

  @Test
  void weightsThatAreNoNumbersAreRefused() throws IOException {
    WacoByHand diverged = WacoByHand.random(Op.SPMM, 1);
    diverged.values().get("final.2.bias")[5] = Float.NaN;
    assertRefused(diverged.toBytes(), Op.SPMM, "'final.2.bias': element 5 is NaN");
  }
}
