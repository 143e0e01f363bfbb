package autosparse.trainer.options;

import java.util.Locale;

/** How a schedule's numbers are written into its tokens. */
public enum TokenForm {
  /** Logarithms of sizes, embeddings of roles. */
  NORMALIZED,
  /** Raw integers, as in the published code. */
  PUBLISHED;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
