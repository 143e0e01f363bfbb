package autosparse.trainer.options;

import java.util.Locale;

/** Number formats of the computation. */
public enum Precision {
  /** What the device computes in: fp32 so far. */
  AUTO,
  FP32,
  /** fp32 storage, products of ten bits. */
  TF32,
  /** bf16 storage, fp32 accumulation and master weights. */
  BF16;

  /** The name on the command line and in {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
