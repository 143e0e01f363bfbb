package autosparse.trainer.options;

import autosparse.costmodel.ModelConfig;
import java.util.Locale;

/** Widths of the transformer. */
public enum HeadSize {
  /** Half the published width behind the encoder; trains in minutes on a CPU. */
  COMPACT,
  /** As AutoSparseNet publishes it. */
  PUBLISHED;

  /** The widths themselves. */
  public ModelConfig.Head widths() {
    return this == COMPACT ? ModelConfig.Head.COMPACT : ModelConfig.Head.PUBLISHED;
  }

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
