package autosparse.engine.reference;

/** The normal distribution, to double precision. */
final class SpecialFunctions {
  private SpecialFunctions() {}

  /** Φ(x) = (1 + erf(x/√2))/2. */
  static double normalDistribution(double x) {
    return 0.5 * erfc(-x / StrictMath.sqrt(2));
  }

  /** φ(x) = e^{−x²/2}/√(2π). */
  static double normalDensity(double x) {
    return StrictMath.exp(-0.5 * x * x) / StrictMath.sqrt(2 * StrictMath.PI);
  }

  /**
   * 1 − erf(x): Maclaurin's series near 0, the continued fraction elsewhere (Abramowitz and Stegun,
   * 7.1.6 and 7.1.14).
   */
  static double erfc(double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    if (x < 0) {
      return 2 - erfc(-x);
    }
    double gaussian = StrictMath.exp(-x * x) / StrictMath.sqrt(StrictMath.PI);
    if (x < 2.5) {
      double term = x;
      double sum = x;
      for (int n = 1; term > 1e-18 * sum; n++) {
        term *= 2 * x * x / (2 * n + 1);
        sum += term;
      }
      return 1 - 2 * gaussian * sum;
    }
    double fraction = x;
    for (int n = 100; n >= 1; n--) {
      fraction = x + 0.5 * n / fraction;
    }
    return gaussian / fraction;
  }
}
