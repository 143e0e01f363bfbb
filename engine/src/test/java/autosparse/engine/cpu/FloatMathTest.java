package autosparse.engine.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FloatMathTest {
  private static double exp(float x) {
    float[] y = new float[1];
    FloatMath.exp(new float[] {x}, 0, 1, y);
    return y[0];
  }

  @Test
  void expKeepsItsErrorBound() {
    int count = 1 << 21;
    float[] x = new float[count];
    float[] argument = new float[count];
    float[] y = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = FloatMath.LOWEST + (FloatMath.HIGHEST - FloatMath.LOWEST) * ((float) i / (count - 1));
      x[i] = Math.max(FloatMath.LOWEST, Math.min(FloatMath.HIGHEST, x[i]));
      argument[i] = x[i];
    }
    FloatMath.exp(argument, 0, count, y);
    double worst = 0;
    for (int i = 0; i < count; i++) {
      double exact = StrictMath.exp(x[i]);
      worst = Math.max(worst, Math.abs(y[i] - exact) / Math.ulp((float) exact));
    }
    assertTrue(worst <= FloatMath.EXP_ULP, "worst error " + worst + " ulp");
    assertTrue(worst >= FloatMath.EXP_ULP / 3, "the bound is far from the worst, " + worst);
  }

  @Test
  void expSaturatesAndKeepsNan() {
    assertEquals(1, exp(0));
    assertEquals(0x1p-126, exp(-1e30f), 0x1p-140);
    assertEquals(0x1p-126, exp(Float.NEGATIVE_INFINITY), 0x1p-140);
    assertEquals(0x1p127, exp(Float.POSITIVE_INFINITY), 0x1p110);
    assertTrue(Double.isNaN(exp(Float.NaN)));
  }

  @Test
  void log1pKeepsItsErrorBound() {
    double worst = 0;
    for (int i = 0; i <= 1 << 20; i++) {
      float e = (float) i / (1 << 20);
      double exact = StrictMath.log1p(e);
      double error = Math.abs(FloatMath.log1pOfUnit(e) - exact) / Math.ulp((float) exact);
      worst = Math.max(worst, error);
    }
    for (float e = 1; e > 1e-37f; e *= 0.7f) {
      double exact = StrictMath.log1p(e);
      double error = Math.abs(FloatMath.log1pOfUnit(e) - exact) / Math.ulp((float) exact);
      worst = Math.max(worst, error);
    }
    assertTrue(worst <= FloatMath.LOG1P_ULP, "worst error " + worst + " ulp");
  }

  @Test
  void logKeepsItsErrorBound() {
    double worst = 0;
    for (double x = 1e-30; x < 1e30; x *= 1.0001234) {
      double exact = StrictMath.log(x);
      worst = Math.max(worst, Math.abs(FloatMath.log(x) - exact) / Math.ulp(exact));
    }
    assertEquals(0, FloatMath.log(1));
    assertTrue(worst <= FloatMath.LOG_ULP, "worst error " + worst + " ulp");
  }

  @Test
  void upperTailKeepsItsErrorBound() {
    double worst = 0;
    double exact = 0.5; // integrated from 0 on, by Simpson's rule
    double step = 1e-4;
    for (int i = 0; i < 80_000; i++) {
      double x = i * step;
      float tail = FloatMath.upperTail((float) x, (float) StrictMath.exp(-0.5 * x * x));
      worst = Math.max(worst, Math.abs(tail - exact));
      exact -= (density(x) + 4 * density(x + step / 2) + density(x + step)) * step / 6;
    }
    assertTrue(worst <= FloatMath.UPPER_TAIL_ERROR, "worst error " + worst);
  }

  private static double density(double x) {
    return StrictMath.exp(-0.5 * x * x) / StrictMath.sqrt(2 * StrictMath.PI);
  }

  @Test
  void sumsCoverEveryElement() {
    for (int from = 0; from < 5; from++) {
      for (int to = from; to < 20; to++) {
        float[] a = new float[20];
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
          a[i] = 1 << i;
          if (i >= from && i < to) {
            sum += a[i];
            squares += (double) a[i] * a[i];
          }
        }
        assertEquals(sum, FloatMath.sum(a, from, to));
        assertEquals(squares, FloatMath.dot(a, a, from, to));
      }
    }
  }
}
