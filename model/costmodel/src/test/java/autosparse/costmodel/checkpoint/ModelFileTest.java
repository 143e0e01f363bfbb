package autosparse.costmodel.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.tokens.Bins;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.engine.HostDevice;
import autosparse.engine.Shape;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelFileTest {
  private static final SparsityPattern PATTERN = SyntheticData.pattern("m", 20, 20, 3, 1);
  private static final Problem PROBLEM = Problem.of(Op.SPMM, PATTERN);

  @TempDir Path folder;
  private HostDevice device;

  @BeforeEach
  void open() {
    device = HostDevice.cpu(HostDevice.Options.defaults().withThreads(1));
  }

  @AfterEach
  void close() {
    assertEquals(0, device.ledger().liveBytes(), "bytes left behind");
    device.close();
  }

  private static ModelConfig config(ModelKind kind, int channels) {
    return new ModelConfig(
        kind,
        List.of(Op.SPMM),
        channels,
        TokenForm.NORMALIZED,
        true,
        2,
        FeatureAt.CONCAT,
        new ModelConfig.Head(8, 8, 2, 8));
  }

  private static ModelStatistics statistics() {
    float[] mean = new float[DerivedFeatures.COUNT];
    Arrays.fill(mean, 0.1f);
    float[] inverse = new float[DerivedFeatures.COUNT];
    Arrays.fill(inverse, 1 / 3f);
    return new ModelStatistics(
        new Scaling(mean, inverse),
        new Scaling(new float[] {1, 2, 3, 4}, new float[] {0.1f, 0.1f, 0.01f, 1}),
        List.of("m", "a \"quoted\" näme"));
  }

  private Path write(ModelKind kind) {
    Path file = folder.resolve(kind + ".safetensors");
    try (CostModel model = CostModels.create(config(kind, 8), statistics(), device.root(), 7)) {
      ModelFile.writeWeights(file, model, statistics());
    }
    return file;
  }

  private double[] scores(CostModel model) {
    List<Schedule> schedules = SyntheticData.schedules(PROBLEM, 5, 2);
    Sites.Pattern sites = new Sites.Pattern(20, 20, PATTERN.rowPointers(), PATTERN.columns());
    try (PatternPyramid pyramid = new PatternPyramid(device.root(), sites);
        Tape tape = Tape.inference(device.root())) {
      Variable pattern = model.pattern(tape, pyramid);
      Selection all =
          new Selection(
              model.encode(PATTERN, PROBLEM, schedules), 0, IntStream.range(0, 5).toArray());
      return model.scores(tape, pattern, List.of(all)).value().toDoubles();
    }
  }

  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void comesBackAsItWas(ModelKind kind) {
    Path file = folder.resolve("model.safetensors");
    double[] before;
    try (CostModel model = CostModels.create(config(kind, 8), statistics(), device.root(), 7)) {
      ModelFile.writeWeights(file, model, statistics());
      before = scores(model);
    }
    assertEquals(config(kind, 8), ModelFile.config(file));
    ModelFile.Loaded loaded = ModelFile.read(file, device.root());
    try (CostModel model = loaded.model()) {
      assertArrayEquals(before, scores(model));
      assertEquals(statistics().matrices(), loaded.statistics().matrices());
      assertArrayEquals(statistics().derived().mean(), loaded.statistics().derived().mean());
    }
  }

  private void assertRefused(Path file, String... parts) {
    long live = device.ledger().liveBytes();
    String message =
        assertThrows(
                InputException.class, () -> ModelFile.read(file, device.root()).model().close())
            .getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.contains(file.toString()), message);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertEquals(live, device.ledger().liveBytes(), "bytes left behind: " + message);
  }

  /** Copies a model's file with other tensors and metadata. */
  private Path changed(
      UnaryOperator<List<StoredTensor>> tensors, UnaryOperator<Map<String, String>> metadata) {
    Path file = folder.resolve("changed.safetensors");
    try (SafetensorsFile source = SafetensorsFile.open(write(ModelKind.AUTOSPARSE))) {
      List<StoredTensor> stored = new ArrayList<>();
      source.tensors().forEach(info -> stored.add(source.stored(info.name(), info.name())));
      Safetensors.write(
          file, metadata.apply(new LinkedHashMap<>(source.metadata())), tensors.apply(stored));
    }
    return file;
  }

  private Path withDescription(UnaryOperator<String> change) {
    return changed(
        UnaryOperator.identity(),
        metadata -> {
          metadata.compute("autosparse.model", (key, text) -> change.apply(text));
          return metadata;
        });
  }

  @Test
  void otherTensorsAreRefused() {
    String first = "decoder.0.bias";
    assertRefused(
        changed(
            tensors -> tensors.stream().filter(t -> !t.name().equals(first)).toList(),
            UnaryOperator.identity()),
        "not of this model",
        "'" + first + "' is missing");
    assertRefused(
        changed(
            tensors -> {
              tensors.add(StoredTensor.floats("extra", Shape.of(1), new float[1]));
              return tensors;
            },
            UnaryOperator.identity()),
        "'extra' is not of this model");
    assertRefused(
        changed(
            tensors -> {
              tensors.removeIf(t -> t.name().equals(first));
              tensors.add(StoredTensor.floats(first, Shape.of(5), new float[5]));
              return tensors;
            },
            UnaryOperator.identity()),
        first,
        "[5]",
        "expected");
    assertRefused(
        withDescription(text -> text.replace("\"channels\":8", "\"channels\":16")),
        "not of this model",
        "more)");
    assertRefused(
        withDescription(text -> text.replace("\"AUTOSPARSE\"", "\"FEATURES_MLP\"")),
        "not of this model");
  }

  @Test
  void aTensorOfAnotherTypeIsRefused() {
    Path file =
        changed(
            tensors -> {
              tensors.removeIf(t -> t.name().equals("decoder.0.bias"));
              tensors.add(
                  new StoredTensor(
                      "decoder.0.bias",
                      autosparse.engine.DType.F64,
                      Shape.of(4),
                      (from, target) -> {
                        while (target.hasRemaining()) {
                          target.putDouble(0);
                        }
                      }));
              return tensors;
            },
            UnaryOperator.identity());
    assertRefused(file, "decoder.0.bias", "F64", "expected F32");
  }

  @Test
  void theOptimizersTensorsAreNoneOfTheWeights() {
    Path file =
        changed(
            tensors -> {
              tensors.add(
                  StoredTensor.floats(ModelFile.OPTIMIZER + "x", Shape.of(1), new float[1]));
              return tensors;
            },
            UnaryOperator.identity());
    ModelFile.read(file, device.root()).model().close();
  }

  @Test
  void aBrokenDescriptionIsRefused() {
    assertRefused(withDescription(text -> null), "no metadata 'autosparse.model'");
    for (String text :
        List.of(
            "",
            "null",
            "{",
            "{}",
            "[]",
            "7",
            "garbage\nof two lines",
            "{\"config\":null,\"statistics\":null}",
            "{\"config\":{},\"statistics\":{}}")) {
      assertRefused(withDescription(old -> text), "autosparse.model");
    }
    for (String[] change :
        new String[][] {
          {"\"channels\":8", "\"channels\":6"},
          {"\"attentionLayers\":2", "\"attentionLayers\":3"},
          {"\"AUTOSPARSE\"", "\"GPT\""},
          {"\"AUTOSPARSE\"", "null"},
          {"[\"SPMM\"]", "[]"},
          {"[\"SPMM\"]", "null"},
          {"[\"SPMM\"]", "[null]"},
          {"\"NORMALIZED\"", "null"},
          {"\"CONCAT\"", "null"},
          {"\"attentionHeads\":2", "\"attentionHeads\":0"},
          {"\"attentionHeads\":2", "\"attentionHeads\":3"},
          {"\"encoderHidden\":8", "\"encoderHidden\":0"},
          {"\"mean\":[1.0,2.0,3.0,4.0]", "\"mean\":[1.0]"},
          {"\"mean\":[1.0,2.0,3.0,4.0]", "\"mean\":null"},
          {"\"featureBins\":0", "\"featureBins\":-1"},
          {"\"featureBins\":0", "\"featureBins\":257"},
          {"\"derivedBins\":{\"edges\":[[]", "\"derivedBins\":{\"edges\":[[1.0,0.0,2.0]"},
          {"\"derivedBins\":{\"edges\":[[],", "\"derivedBins\":{\"edges\":["},
          {"\"derivedBins\":{\"edges\":[[]", "\"derivedBins\":{\"edges\":[null"},
        }) {
      assertRefused(
          withDescription(
              text -> {
                assertTrue(text.contains(change[0]), text);
                return text.replace(change[0], change[1]);
              }),
          "autosparse.model");
    }
  }

  @Test
  void aFileCutShortIsRefusedWhereverItEnds() throws IOException {
    byte[] whole = Files.readAllBytes(write(ModelKind.AUTOSPARSE));
    Path file = folder.resolve("cut.safetensors");
    for (int length : new int[] {0, 7, 8, 100, whole.length / 2, whole.length - 1}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused(file);
    }
    assertRefused(folder.resolve("none.safetensors"));
    assertRefused(folder);
  }

  @Test
  void binsAreKeptWithTheModel() {
    ModelConfig config = config(ModelKind.AUTOSPARSE, 8).withFeatureBins(5);
    float[][] edges = new float[DerivedFeatures.COUNT][0];
    edges[0] = new float[] {-1, 0.1f, 1f / 3};
    edges[DerivedFeatures.COUNT - 1] = new float[] {-1, 0, 1, 2};
    ModelStatistics plain = statistics();
    ModelStatistics statistics =
        new ModelStatistics(
            plain.derived(), plain.shape(), plain.matrices(), plain.work(), new Bins(edges), null);
    Path file = folder.resolve("bins.safetensors");
    double[] before;
    try (CostModel model = CostModels.create(config, statistics, device.root(), 7)) {
      ModelFile.writeWeights(file, model, statistics);
      before = scores(model);
    }
    ModelFile.Loaded loaded = ModelFile.read(file, device.root());
    try (CostModel model = loaded.model()) {
      assertEquals(config, model.config());
      assertTrue(Arrays.deepEquals(edges, loaded.statistics().derivedBins().edges()));
      assertArrayEquals(before, scores(model));
    }
  }

  @Test
  void filesFromBeforeWorkFeaturesAndBinsStillLoad() {
    ModelConfig config = config(ModelKind.AUTOSPARSE, 8);
    Path file = folder.resolve("old.safetensors");
    double[] before;
    try (CostModel model = CostModels.create(config, statistics(), device.root(), 7)) {
      Map<String, String> metadata = new LinkedHashMap<>();
      ModelFile.metadata(config, statistics())
          .forEach(
              (key, text) ->
                  metadata.put(
                      key,
                      text.replaceAll(",\"work\":\\{[^}]*}", "")
                          .replaceAll(",\"(derived|work)Bins\":\\{[^}]*}", "")
                          .replace(",\"workFeatures\":false", "")
                          .replace(",\"featureBins\":0", "")));
      assertFalse(metadata.toString().contains("work"), metadata.toString());
      assertFalse(metadata.toString().contains("Bins"), metadata.toString());
      Safetensors.write(file, metadata, ModelFile.stored(model.parameters().stateDict()));
      before = scores(model);
    }
    try (CostModel model = ModelFile.read(file, device.root()).model()) {
      assertEquals(config, model.config());
      assertArrayEquals(before, scores(model));
    }
  }
}
