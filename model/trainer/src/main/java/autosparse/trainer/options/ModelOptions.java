package autosparse.trainer.options;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.schedule.Op;
import java.util.List;

/**
 * The network.
 *
 * @param channels of the convolutions, a multiple of 4
 * @param attentionLayers 1 or 2
 * @param derivedFeatures whether tokens carry what follows from schedule and shape, such as
 *     iterations per thread
 * @param workFeatures whether these say too what the schedule does with the matrix, counted from
 *     its pattern; only beside derived features, in a network that has tokens
 * @param featureBins bins of the piecewise linear encoding of these features; 0 for none; only
 *     where there are such features
 * @param head widths of the transformer
 */
public record ModelOptions(
    ModelKind model,
    int channels,
    int attentionLayers,
    ModelConfig.FeatureAt featureAt,
    ModelConfig.TokenForm tokens,
    boolean derivedFeatures,
    boolean workFeatures,
    int featureBins,
    HeadSize head) {
  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public ModelOptions {
    Require.that(
        channels > 0 && channels % 4 == 0 && channels <= 1024,
        "--channels",
        channels,
        "a multiple of 4 up to 1024");
    Require.that(
        attentionLayers == 1 || attentionLayers == 2,
        "--attention-layers",
        attentionLayers,
        "1 or 2");
    Require.that(
        featureBins >= 0 && featureBins <= ModelConfig.MOST_BINS,
        "--feature-bins",
        featureBins,
        "0 to " + ModelConfig.MOST_BINS);
  }

  /** The network's configuration for some operators. */
  public ModelConfig toConfig(List<Op> ops) {
    boolean derived = derivedFeatures && tokens != ModelConfig.TokenForm.PUBLISHED;
    boolean work = workFeatures && derived && model.hasTokenHead();
    ModelConfig config =
        new ModelConfig(
            model, ops, channels, tokens, derived, attentionLayers, featureAt, head.widths());
    config = work ? config.withWorkFeatures() : config;
    return derived && (model.hasTokenHead() || model == ModelKind.WORK_MLP)
        ? config.withFeatureBins(featureBins)
        : config;
  }
}
