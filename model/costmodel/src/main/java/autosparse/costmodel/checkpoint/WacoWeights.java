package autosparse.costmodel.checkpoint;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.pytorch.PyTorchFile;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.layers.StateDict;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * WACO's published weights (reference "Networks", section 1): which of its tensors is which of
 * ours. The values need no change: both number a kernel's offsets row fastest and keep a linear
 * layer's weight as [out, in].
 */
public final class WacoWeights {
  /** Width of the published tower. */
  private static final int CHANNELS = 32;

  private static final int TOWER_LAYERS = 14;

  private WacoWeights() {}

  /** The network that the weights belong to. */
  public static ModelConfig config(Op op) {
    return new ModelConfig(
        ModelKind.WACO,
        List.of(op),
        CHANNELS,
        ModelConfig.TokenForm.NORMALIZED,
        false,
        1,
        ModelConfig.FeatureAt.TOKEN,
        ModelConfig.Head.COMPACT);
  }

  /** WACO's names by ours. */
  public static Map<String, String> publishedNames(Op op) {
    Map<String, String> names = new LinkedHashMap<>();
    for (int layer = 1; layer <= TOWER_LAYERS; layer++) {
      names.put("tower." + layer + ".weight", "layer" + layer + ".0.kernel");
    }
    linear(names, "shape.hidden", "feature.0");
    linear(names, "shape.output", "feature.2");
    linear(names, "matrix.hidden", "matrix_embedding.0");
    linear(names, "matrix.output", "matrix_embedding.2");
    String column = op == Op.SPMV ? "k" : op.columnAxis();
    names.put("schedule.row-split.weight", "isplit.weight");
    names.put("schedule.column-split.weight", column + "split.weight");
    op.denseAxis()
        .ifPresent(axis -> names.put("schedule.dense-split.weight", axis + "split.weight"));
    names.put("schedule.format-0.weight", "formati1.weight");
    names.put("schedule.format-1.weight", "formati0.weight");
    names.put("schedule.format-2.weight", "format" + column + "1.weight");
    names.put("schedule.format-3.weight", "format" + column + "0.weight");
    if (op == Op.SDDMM) {
      names.put("schedule.parallel.weight", "paridx.weight");
    }
    names.put("schedule.chunk.weight", "parchunk.weight");
    linear(names, "schedule.order", "order");
    linear(names, "schedule.hidden", "schedule_embedding.0");
    linear(names, "schedule.output", "schedule_embedding.2");
    linear(names, "predictor.0", "final.0");
    linear(names, "predictor.1", "final.2");
    linear(names, "predictor.2", "final.4");
    return names;
  }

  private static void linear(Map<String, String> names, String ours, String published) {
    names.put(ours + ".weight", published + ".weight");
    names.put(ours + ".bias", published + ".bias");
  }

  /**
   * Reads the weights of one operator's network, which has no gradients.
   *
   * @param shape standardisation of (rows, columns, nnz, density), the last of which is not read;
   *     WACO's constants are not published
   * @param scope owner of the parameters
   * @throws InputException if the file is not exactly that network's
   */
  public static ModelFile.Loaded read(Path file, Op op, Scaling shape, TensorScope scope) {
    try (PyTorchFile source = PyTorchFile.open(file)) {
      ModelStatistics statistics =
          new ModelStatistics(Scaling.identity(DerivedFeatures.COUNT), shape, List.of());
      CostModel model = CostModels.forScoring(config(op), statistics, scope);
      try {
        StateDict expected = published(model, op);
        List<String> mismatches = expected.mismatches(shapes(source));
        if (!mismatches.isEmpty()) {
          throw mismatch(source, op, mismatches, scope);
        }
        expected.tensors().forEach((name, tensor) -> load(source, name, tensor));
      } catch (RuntimeException e) {
        model.close();
        throw e;
      }
      return new ModelFile.Loaded(model, statistics);
    }
  }

  /** A model's tensors under WACO's names. */
  private static StateDict published(CostModel model, Op op) {
    Map<String, Tensor> ours = model.parameters().stateDict().tensors();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    publishedNames(op).forEach((name, published) -> tensors.put(published, ours.get(name)));
    return new StateDict(tensors);
  }

  private static Map<String, long[]> shapes(PyTorchFile source) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    source.tensors().forEach((name, view) -> shapes.put(name, view.shape()));
    return shapes;
  }

  private static InputException mismatch(
      PyTorchFile source, Op op, List<String> mismatches, TensorScope scope) {
    for (Op other : Op.values()) {
      if (other != op && fits(source, other, scope)) {
        return new InputException(
            source.path() + ": weights of " + other.id() + ", expected " + op.id());
      }
    }
    String more = mismatches.size() > 1 ? " (and " + (mismatches.size() - 1) + " more)" : "";
    return new InputException(
        source.path() + ": not WACO's " + op.id() + " network: " + mismatches.get(0) + more);
  }

  private static boolean fits(PyTorchFile source, Op op, TensorScope scope) {
    try (CostModel model = CostModels.forScoring(config(op), ModelStatistics.none(), scope)) {
      return published(model, op).mismatches(shapes(source)).isEmpty();
    }
  }

  private static void load(PyTorchFile source, String name, Tensor tensor) {
    float[] values = source.floats(name);
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InputException(
            source.path() + ": tensor '" + name + "': element " + i + " is " + values[i]);
      }
      wide[i] = values[i];
    }
    tensor.setDoubles(wide);
  }
}
