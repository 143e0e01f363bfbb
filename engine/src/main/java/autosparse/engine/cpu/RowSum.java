package autosparse.engine.cpu;

import java.util.Arrays;

/**
 * Sum of many rows: short runs in float, where C2 vectorises, their totals in double, so that the
 * error does not grow with the number of rows. The order is that of the calls.
 */
final class RowSum {
  private static final int RUN = 64;

  private final int columns;
  private final float[] run;
  private final double[] total;
  private int rows;

  RowSum(int columns) {
    this.columns = columns;
    run = new float[columns];
    total = new double[columns];
  }

  void add(float[] values, int at) {
    for (int c = 0; c < columns; c++) {
      run[c] += values[at + c];
    }
    if (++rows == RUN) {
      flush();
    }
  }

  /** Adds values·factors, element by element. */
  void addProduct(float[] values, float[] factors, int at) {
    for (int c = 0; c < columns; c++) {
      run[c] = Math.fma(values[at + c], factors[at + c], run[c]);
    }
    if (++rows == RUN) {
      flush();
    }
  }

  private void flush() {
    for (int c = 0; c < columns; c++) {
      total[c] += run[c];
    }
    Arrays.fill(run, 0f);
    rows = 0;
  }

  /** The sums so far; valid until the next call. */
  double[] total() {
    flush();
    return total;
  }

  void clear() {
    Arrays.fill(run, 0f);
    Arrays.fill(total, 0);
    rows = 0;
  }
}
