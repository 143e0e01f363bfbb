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
  }

  /** The network's configuration for some operators. */
  public ModelConfig toConfig(List<Op> ops) {
    boolean derived = derivedFeatures && tokens != ModelConfig.TokenForm.PUBLISHED;
    boolean work = workFeatures && derived && model.hasTokenHead();
    ModelConfig config =
        new ModelConfig(
            model, ops, channels, tokens, derived, attentionLayers, featureAt, head.widths());
    return work ? config.withWorkFeatures() : config;
  }
}
