package autosparse.trainer.options;

import java.util.Locale;

/** The networks that can be trained. */
public enum ModelName {
  /** The dilated convolution tower, every layer pooled, and the transformer over primitives. */
  AUTOSPARSE,
  /** The same with only the last convolution pooled. */
  AUTOSPARSE_LAST,
  /** WACONet as published. */
  WACO,
  /** WACO's tower at full width in front of the transformer. */
  WACO_WIDE,
  /** A perceptron on derived schedule features, blind to the pattern: the baseline to beat. */
  FEATURES_MLP;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
