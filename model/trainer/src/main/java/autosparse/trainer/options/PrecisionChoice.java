package autosparse.trainer.options;

import autosparse.engine.Precision;
import java.util.Locale;
import java.util.Optional;

/** What {@code --precision} takes. */
public enum PrecisionChoice {
  /** The fastest that the device has. */
  AUTO,
  FP32,
  TF32,
  BF16;

  /** The precision asked for; empty to leave it to the device. */
  public Optional<Precision> precision() {
    return this == AUTO ? Optional.empty() : Optional.of(Precision.valueOf(name()));
  }

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
