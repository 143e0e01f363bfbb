package autosparse.trainer.options;

/**
 * The network.
 *
 * @param channels of the convolutions, a multiple of 4
 * @param attentionLayers 1 or 2
 * @param derivedFeatures whether tokens carry what follows from schedule and shape, such as
 *     iterations per thread
 */
public record ModelOptions(
    ModelName model,
    int channels,
    int attentionLayers,
    FeatureAt featureAt,
    TokenForm tokens,
    boolean derivedFeatures) {
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
}
