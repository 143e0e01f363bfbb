package autosparse.engine.opcase;

import autosparse.engine.BFloat16;
import autosparse.engine.Tensor;

/**
 * Which inputs a case draws, and how they are rounded on a device of higher precision, so that it
 * computes from what a device of lower precision computes from.
 *
 * @param seed of the values
 */
public record Draw(long seed, Rounding rounding) {
  /** How drawn values are rounded before a device gets them. */
  public enum Rounding {
    /** To float alone. */
    NONE,
    /** Activations as a BF16 tensor holds them. */
    BF16,
    /** Weights too: what a naive implementation in BF16 multiplies. */
    BF16_FACTORS,
    /** Activations and weights without what tensor cores drop of a float: all but ten bits. */
    TF32_FACTORS
  }

  private static final int TF32_BITS = ~0x1fff;

  /** A draw whose values are rounded to float alone. */
  public static Draw of(long seed) {
    return new Draw(seed, Rounding.NONE);
  }

  double activation(double value) {
    return switch (rounding) {
      case NONE -> value;
      case BF16, BF16_FACTORS -> BFloat16.round((float) value);
      case TF32_FACTORS -> tf32(value);
    };
  }

  double weight(double value) {
    return switch (rounding) {
      case NONE, BF16 -> value;
      case BF16_FACTORS -> BFloat16.round((float) value);
      case TF32_FACTORS -> tf32(value);
    };
  }

  private static double tf32(double value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits((float) value) & TF32_BITS);
  }

  /**
   * Rounds a tensor that an operator under test reads and that another one has written, such as the
   * output of a forward pass.
   */
  void roundActivation(Tensor tensor) {
    if (rounding != Rounding.NONE) {
      double[] values = tensor.toDoubles();
      for (int i = 0; i < values.length; i++) {
        values[i] = activation(values[i]);
      }
      tensor.setDoubles(values);
    }
  }
}
