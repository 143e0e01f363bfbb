package autosparse.trainer.options;

import java.util.Locale;

/** Where the matrix enters the transformer. */
public enum FeatureAt {
  /** As a token of the first attention layer. */
  TOKEN,
  /** Concatenated to the attention's result. */
  CONCAT;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
