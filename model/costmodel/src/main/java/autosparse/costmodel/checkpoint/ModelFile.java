package autosparse.costmodel.checkpoint;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.costmodel.tokens.WorkFeatures;
import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.layers.StateDict;
import autosparse.schedule.InputException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model in one safetensors file: its tensors, and in the metadata what it takes to build the
 * network that they belong to.
 */
public final class ModelFile {
  /** Prefix of tensors that only training needs. */
  public static final String OPTIMIZER = "optimizer.";

  private static final String KEY = "autosparse.model";
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Description(ModelConfig config, ModelStatistics statistics) {}

  private ModelFile() {}

  /** Metadata that describes a model. */
  public static Map<String, String> metadata(ModelConfig config, ModelStatistics statistics) {
    try {
      Map<String, String> metadata = new LinkedHashMap<>();
      metadata.put("format", "autosparse");
      metadata.put(KEY, JSON.writeValueAsString(new Description(config, statistics)));
      return metadata;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("model description: " + e.getOriginalMessage(), e);
    }
  }

  /** The tensors of a state dict, ready to be written. */
  public static List<StoredTensor> stored(StateDict state) {
    List<StoredTensor> tensors = new ArrayList<>();
    state.tensors().forEach((name, tensor) -> tensors.add(StoredTensor.of(name, tensor)));
    return tensors;
  }

  /** Writes the weights alone, without the optimiser's tensors. */
  public static void writeWeights(Path file, CostModel model, ModelStatistics statistics) {
    Safetensors.write(
        file, metadata(model.config(), statistics), stored(model.parameters().stateDict()));
  }

  /** A model with its statistics, as read from a file. */
  public record Loaded(CostModel model, ModelStatistics statistics) {}

  /**
   * Builds the model that a file describes and loads its weights; it has no gradients.
   *
   * @param scope owner of the parameters
   * @throws InputException when the file is no model of ours or does not fit its description
   */
  public static Loaded read(Path file, TensorScope scope) {
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      Description description = description(source);
      CostModel model =
          CostModels.forScoring(description.config(), description.statistics(), scope);
      try {
        load(source, model.parameters().stateDict(), true);
      } catch (RuntimeException e) {
        model.close();
        throw e;
      }
      return new Loaded(model, description.statistics());
    }
  }

  /** Configuration of the model in a file. */
  public static ModelConfig config(Path file) {
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      return description(source).config();
    }
  }

  /** Loads all tensors of a training state; the file may hold nothing else. */
  public static void loadState(Path file, StateDict target) {
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      load(source, target, false);
    }
  }

  private static Description description(SafetensorsFile source) {
    String text = source.metadata().get(KEY);
    if (text == null) {
      throw new InputException(
          source.path() + ": no metadata '" + KEY + "', expected a model of AutoSparse Net");
    }
    Description description;
    try {
      description = JSON.readValue(text, Description.class);
    } catch (JsonProcessingException e) {
      throw malformed(source, InputException.quote(e.getOriginalMessage()), e);
    }
    if (description == null || !isComplete(description)) {
      throw malformed(source, "incomplete, expected config and statistics of a model", null);
    }
    return description;
  }

  private static InputException malformed(SafetensorsFile source, String what, Throwable cause) {
    return new InputException(source.path() + ": metadata '" + KEY + "': " + what, cause);
  }

  private static boolean isComplete(Description description) {
    ModelConfig config = description.config();
    ModelStatistics statistics = description.statistics();
    return config != null
        && statistics != null
        && config.kind() != null
        && config.tokens() != null
        && config.featureAt() != null
        && isOf(statistics.derived(), DerivedFeatures.COUNT)
        && isOf(statistics.shape(), 4)
        && isOf(statistics.work(), WorkFeatures.COUNT)
        && statistics.derivedBins().features() == DerivedFeatures.COUNT
        && statistics.workBins().features() == WorkFeatures.COUNT;
  }

  private static boolean isOf(Scaling scaling, int count) {
    return scaling != null
        && scaling.mean() != null
        && scaling.mean().length == count
        && scaling.inverseDeviation() != null
        && scaling.inverseDeviation().length == count;
  }

  private static void load(SafetensorsFile source, StateDict target, boolean weightsOnly) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (TensorInfo info : source.tensors()) {
      if (!weightsOnly || !info.name().startsWith(OPTIMIZER)) {
        shapes.put(info.name(), info.shape().toArray());
      }
    }
    List<String> mismatches = target.mismatches(shapes);
    if (!mismatches.isEmpty()) {
      String more = mismatches.size() > 1 ? " (and " + (mismatches.size() - 1) + " more)" : "";
      throw new InputException(source.path() + ": not of this model: " + mismatches.get(0) + more);
    }
    target.tensors().forEach((name, tensor) -> readInto(source, name, tensor));
  }

  /** Reads a float tensor into a tensor of the device's precision. */
  private static void readInto(SafetensorsFile source, String name, Tensor tensor) {
    DType stored = source.find(name).orElseThrow().dtype();
    if (stored == tensor.dtype()) {
      source.readInto(name, tensor);
    } else if (stored == DType.F32 && tensor.dtype() == DType.F64) {
      float[] narrow = source.floats(name);
      double[] wide = new double[narrow.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = narrow[i];
      }
      tensor.setDoubles(wide);
    } else {
      throw new InputException(
          source.path() + ": tensor '" + name + "' is " + stored + ", expected " + tensor.dtype());
    }
  }
}
