package autosparse.costmodel.tokens;

import java.util.List;

/**
 * Standardisation of a feature vector: (x − mean)·inverseDeviation, element by element.
 *
 * @param mean [F]
 * @param inverseDeviation [F]
 */
public record Scaling(float[] mean, float[] inverseDeviation) {
  /** Keeps features that hardly vary from being blown up; as in the baseline's published script. */
  private static final double SMALLEST_DEVIATION = 1e-3;

  /** Leaves vectors of {@code count} features as they are. */
  public static Scaling identity(int count) {
    float[] ones = new float[count];
    java.util.Arrays.fill(ones, 1);
    return new Scaling(new float[count], ones);
  }

  /** Makes vectors of {@code count} zeros, whatever the features. */
  public static Scaling zero(int count) {
    return new Scaling(new float[count], new float[count]);
  }

  /** Mean and deviation over rows; the identity for none. */
  public static Scaling fit(List<float[]> rows, int count) {
    if (rows.isEmpty()) {
      return identity(count);
    }
    double[] sum = new double[count];
    double[] squares = new double[count];
    for (float[] row : rows) {
      for (int f = 0; f < count; f++) {
        sum[f] += row[f];
        squares[f] += (double) row[f] * row[f];
      }
    }
    float[] mean = new float[count];
    float[] inverse = new float[count];
    for (int f = 0; f < count; f++) {
      double average = sum[f] / rows.size();
      double variance = Math.max(0, squares[f] / rows.size() - average * average);
      mean[f] = (float) average;
      inverse[f] = (float) (1 / (Math.sqrt(variance) + SMALLEST_DEVIATION));
    }
    return new Scaling(mean, inverse);
  }

  /** Writes the scaled vector to {@code target} from {@code at} on. */
  public void apply(float[] values, float[] target, int at) {
    for (int f = 0; f < mean.length; f++) {
      target[at + f] = (values[f] - mean[f]) * inverseDeviation[f];
    }
  }
}
