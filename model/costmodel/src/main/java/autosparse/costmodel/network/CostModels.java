package autosparse.costmodel.network;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.engine.TensorScope;

/** Makes networks from their configuration. */
public final class CostModels {
  private CostModels() {}

  /**
   * A network with fresh weights.
   *
   * @param scope owner of its parameters
   * @param seed of the weights
   */
  public static CostModel create(
      ModelConfig config, ModelStatistics statistics, TensorScope scope, long seed) {
    return switch (config.kind()) {
      case AUTOSPARSE, AUTOSPARSE_LAST, WACO_WIDE ->
          new TokenModel(config, statistics, scope, seed);
      case WACO -> new WacoModel(config, statistics, scope, seed);
      case FEATURES_MLP, WORK_MLP -> new FeaturesMlp(config, statistics, scope, seed);
    };
  }
}
