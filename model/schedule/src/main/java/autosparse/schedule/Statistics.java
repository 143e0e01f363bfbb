package autosparse.schedule;

import java.util.Arrays;

/** The few statistics that data sets need. */
final class Statistics {
  private Statistics() {}

  /** The median, the mean of the two middle values for an even number; NaN for none. */
  static double median(double[] values) {
    if (values.length == 0) {
      return Double.NaN;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
