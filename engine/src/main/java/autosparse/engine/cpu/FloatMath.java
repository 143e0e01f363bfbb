package autosparse.engine.cpu;

/**
 * Transcendental functions in plain arithmetic, so that their bits are the same on every JVM, in
 * loops that C2 turns into vector instructions.
 *
 * <p>Errors are against the exact value, in units in the last place (ulp) of a float; tests hold
 * them.
 */
final class FloatMath {
  /** Largest error of {@link #exp}, in ulp. */
  static final double EXP_ULP = 1.5;

  /** Largest error of {@link #log1pOfUnit}, in ulp. */
  static final double LOG1P_ULP = 2.5;

  /** Largest error of {@link #log}, in ulp of a double. */
  static final double LOG_ULP = 4;

  /** Largest absolute error of {@link #upperTail}. */
  static final double UPPER_TAIL_ERROR = 2e-7;

  /** Arguments of {@link #exp} are clamped to these: n·ln 2 for n from −126 to 127. */
  static final float LOWEST = -87.33654f;

  static final float HIGHEST = 88.02969f;

  static final float LOG2_E = 1.442695f;

  // ln 2 in two parts (Cody and Waite): the first has few bits, so that n times it is exact.
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;

  /** 1.5·2^23: added to a small float, it rounds it to an integer that stands in the low bits. */
  private static final float ROUNDER = 12582912f;

  private static final double LN2 = 0.6931471805599453;

  private FloatMath() {}

  /**
   * y[i] = e^x[i] for i from {@code from} to {@code to}; x is overwritten.
   *
   * <p>Results saturate at 2^−126 and 2^127 instead of reaching 0 and infinity. NaN stays NaN.
   */
  static void exp(float[] x, int from, int to, float[] y) {
    for (int i = from; i < to; i++) {
      float argument = Math.max(LOWEST, Math.min(HIGHEST, x[i]));
      float rounded = Math.fma(argument, LOG2_E, ROUNDER);
      float n = rounded - ROUNDER;
      float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, argument));
      // Taylor's series: |r| is at most ln(2)/2, the remainder below 0.1 ulp.
      float p = Math.fma(r, 1f / 5040, 1f / 720);
      p = Math.fma(p, r, 1f / 120);
      p = Math.fma(p, r, 1f / 24);
      p = Math.fma(p, r, 1f / 6);
      p = Math.fma(p, r, 0.5f);
      p = Math.fma(p, r, 1f);
      y[i] = Math.fma(p, r, 1f);
      x[i] = rounded;
    }
    // Apart from the loop above, since JDK 17 does not vectorise the moves between float and int.
    for (int i = from; i < to; i++) {
      y[i] *= Float.intBitsToFloat((Float.floatToRawIntBits(x[i]) << 23) + 0x3F800000);
    }
  }

  /** ln(1 + e) for e in [0, 1]: 2·artanh(e/(2 + e)) by its series. */
  static float log1pOfUnit(float e) {
    float s = e / (2 + e);
    float z = s * s;
    float p = Math.fma(z, 1f / 15, 1f / 13);
    p = Math.fma(p, z, 1f / 11);
    p = Math.fma(p, z, 1f / 9);
    p = Math.fma(p, z, 1f / 7);
    p = Math.fma(p, z, 0.2f);
    p = Math.fma(p, z, 1f / 3);
    return 2 * Math.fma(p * z, s, s);
  }

  /** ln x for a positive, normal, finite x. */
  static double log(double x) {
    long bits = Double.doubleToRawLongBits(x);
    int exponent = (int) (bits >>> 52) - 1023;
    double mantissa = Double.longBitsToDouble((bits & 0xFFFFFFFFFFFFFL) | 0x3FF0000000000000L);
    if (mantissa > 1.4142135623730951) {
      mantissa /= 2;
      exponent++;
    }
    double s = (mantissa - 1) / (mantissa + 1);
    double z = s * s;
    double p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return exponent * LN2 + 2 * (s + s * z * p);
  }

  /**
   * Probability that a standard normal variable exceeds |x|, given e^{−x²/2}: a polynomial in t =
   * 1/(1 + |x|/√8), the form of Abramowitz and Stegun 7.1.26 with coefficients fitted anew.
   */
  static float upperTail(float absolute, float gaussian) {
    float t = 1 / Math.fma(absolute, 0.35355338f, 1f);
    float p = Math.fma(t, 0.058800288f, -0.21823175f);
    p = Math.fma(p, t, 0.12216676f);
    p = Math.fma(p, t, 0.30769184f);
    p = Math.fma(p, t, 0.13083762f);
    p = Math.fma(p, t, 0.3217004f);
    p = Math.fma(p, t, 0.27703485f);
    return 0.5f * gaussian * (p * t);
  }

  /** Σ a[i] in double, in four interleaved sums. */
  static double sum(float[] a, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i + 3 < to; i += 4) {
      s0 += a[i];
      s1 += a[i + 1];
      s2 += a[i + 2];
      s3 += a[i + 3];
    }
    for (; i < to; i++) {
      s0 += a[i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  /** Σ a[i]·b[i] in double, in four interleaved sums. */
  static double dot(float[] a, float[] b, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i + 3 < to; i += 4) {
      s0 += (double) a[i] * b[i];
      s1 += (double) a[i + 1] * b[i + 1];
      s2 += (double) a[i + 2] * b[i + 2];
      s3 += (double) a[i + 3] * b[i + 3];
    }
    for (; i < to; i++) {
      s0 += (double) a[i] * b[i];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
