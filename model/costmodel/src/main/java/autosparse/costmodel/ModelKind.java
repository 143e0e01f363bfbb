package autosparse.costmodel;

import java.util.Locale;

/** The networks that can be trained. */
public enum ModelKind {
  /** HDC tower, pools of all 13 layers; schedule tokens through attention. */
  AUTOSPARSE,
  /** The same, pool of the last layer only. */
  AUTOSPARSE_LAST,
  /** WACO's 14-layer strided tower at full width, in the same head. */
  WACO_WIDE,
  /** WACO as published: 32 channels, its own schedule embedding. */
  WACO,
  /** Baseline: derived features and a matrix id through a residual MLP; sees no pattern. */
  FEATURES_MLP,
  /** The same with work features, which are counted from the pattern, and without an id. */
  WORK_MLP;

  /** The name on the command line and in files: {@code autosparse-last}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Whether the network is a pattern tower with the token head. */
  public boolean hasTokenHead() {
    return this == AUTOSPARSE || this == AUTOSPARSE_LAST || this == WACO_WIDE;
  }
}
