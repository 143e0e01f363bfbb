package autosparse.costmodel;

import autosparse.schedule.InputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

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
  FEATURES_MLP;

  /** The name on the command line and in files: {@code autosparse-last}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The kind of an {@link #id}. */
  public static ModelKind parse(String id) {
    return Arrays.stream(values())
        .filter(kind -> kind.id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    "model "
                        + InputException.quote(id)
                        + ", expected "
                        + Arrays.stream(values())
                            .map(ModelKind::id)
                            .collect(Collectors.joining(", "))));
  }

  /** Whether the network is a pattern tower with the token head. */
  public boolean hasTokenHead() {
    return this == AUTOSPARSE || this == AUTOSPARSE_LAST || this == WACO_WIDE;
  }
}
