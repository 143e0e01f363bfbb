package autosparse.trainer.options;

import java.util.Locale;

/** The ranking losses. */
public enum LossName {
  /** Hinge over pairs. */
  MARGIN,
  /** Pairs weighted by what their swap costs the ranking. */
  LAMBDARANK;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
