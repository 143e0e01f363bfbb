package autosparse.engine;

/**
 * The upper half of a single-precision number: its sign, its exponent and the first seven bits of
 * its fraction.
 */
public final class BFloat16 {
  /** Distance from 1 to the next number; rounding errs by at most half of it, relatively. */
  public static final double EPSILON = 0x1p-7;

  private static final int QUIET = 0x40;

  private BFloat16() {}

  /** The bits of the nearest number, of two equally near ones the even one; NaN stays NaN. */
  public static short bits(float value) {
    int word = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (word >>> 16 | QUIET);
    }
    // Half a unit less one, and one more where the last bit kept is odd.
    return (short) ((word + 0x7fff + (word >>> 16 & 1)) >>> 16);
  }

  /** The number that some bits stand for. */
  public static float value(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** The nearest number. */
  public static float round(float value) {
    return value(bits(value));
  }
}
