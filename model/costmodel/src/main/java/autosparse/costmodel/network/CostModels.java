package autosparse.costmodel.network;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.engine.TensorScope;
import autosparse.layers.Parameters;

/** Makes networks from their configuration. */
public final class CostModels {
  private CostModels() {}

  /**
   * A network with fresh weights, to be trained.
   *
   * @param scope owner of its parameters and their gradients
   * @param seed of the weights
   */
  public static CostModel create(
      ModelConfig config, ModelStatistics statistics, TensorScope scope, long seed) {
    return of(config, statistics, new Parameters(scope, seed));
  }

  /**
   * A network that is given its weights and then only scores: it has no gradients.
   *
   * @param scope owner of its parameters
   */
  public static CostModel forScoring(
      ModelConfig config, ModelStatistics statistics, TensorScope scope) {
    return of(config, statistics, Parameters.withoutGradients(scope, 0));
  }

  private static CostModel of(
      ModelConfig config, ModelStatistics statistics, Parameters parameters) {
    return switch (config.kind()) {
      case AUTOSPARSE, AUTOSPARSE_LAST, WACO_WIDE -> new TokenModel(config, statistics, parameters);
      case WACO -> new WacoModel(config, statistics, parameters);
      case FEATURES_MLP, WORK_MLP -> new FeaturesMlp(config, statistics, parameters);
    };
  }
}
