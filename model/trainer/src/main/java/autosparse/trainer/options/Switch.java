package autosparse.trainer.options;

import java.util.Locale;

/** A part that can be left out. */
public enum Switch {
  ON,
  OFF;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
