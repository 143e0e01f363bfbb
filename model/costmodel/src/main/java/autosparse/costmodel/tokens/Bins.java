package autosparse.costmodel.tokens;

import autosparse.schedule.InputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Piecewise linear encoding of a feature vector: a feature's range is cut into bins that hold about
 * equally many training values, and each bin becomes one number that rises from −1 to 1 as the
 * feature crosses it. A linear layer behind it can bend anywhere that the data lie, which on a
 * standardised number it cannot: what makes decision trees good at such features.
 *
 * @param edges edges of each feature's bins, rising; none for a feature whose quantiles have two
 *     values at most: a straight line says all of it
 */
public record Bins(float[][] edges) {
  private static final int FEWEST_EDGES = 3;

  /** Throws {@link InputException} for edges that no data give. */
  public Bins {
    if (edges == null) {
      throw new InputException("bins without edges");
    }
    for (float[] feature : edges) {
      requireAscending(feature);
    }
  }

  private static void requireAscending(float[] feature) {
    boolean holds = feature != null && (feature.length == 0 || feature.length >= FEWEST_EDGES);
    for (int e = 0; holds && e < feature.length; e++) {
      holds = Float.isFinite(feature[e]) && (e == 0 || feature[e] > feature[e - 1]);
    }
    if (!holds) {
      throw new InputException(
          "edges of bins "
              + Arrays.toString(feature)
              + ", expected none, or three or more, rising");
    }
  }

  /** No bins for {@code count} features. */
  public static Bins none(int count) {
    return new Bins(new float[count][0]);
  }

  /**
   * As many bins of each feature as {@link #fit} gives at most, between edges that stand for any:
   * for what is planned before there are data.
   *
   * @param count features
   * @param most bins of one feature
   */
  public static Bins full(int count, int most) {
    float[] edges = new float[most + 1 < FEWEST_EDGES ? 0 : most + 1];
    for (int e = 0; e < edges.length; e++) {
      edges[e] = e;
    }
    float[][] all = new float[count][];
    Arrays.fill(all, edges);
    return new Bins(all);
  }

  /**
   * Bins between quantiles of the rows' values; equal quantiles are one edge.
   *
   * @param rows training vectors
   * @param count features of a row
   * @param most bins of one feature; 0 for none
   */
  public static Bins fit(List<float[]> rows, int count, int most) {
    if (most == 0 || rows.isEmpty()) {
      return none(count);
    }
    float[][] edges = new float[count][];
    float[] values = new float[rows.size()];
    for (int f = 0; f < count; f++) {
      for (int r = 0; r < values.length; r++) {
        values[r] = rows.get(r)[f] + 0f; // −0 and 0 are one value
      }
      Arrays.sort(values);
      edges[f] = quantiles(values, most);
    }
    return new Bins(edges);
  }

  private static float[] quantiles(float[] sorted, int most) {
    float[] found = new float[most + 1];
    int count = 0;
    for (int q = 0; q <= most; q++) {
      float value = sorted[(int) ((sorted.length - 1L) * q / most)];
      if (count == 0 || value > found[count - 1]) {
        found[count++] = value;
      }
    }
    return count < FEWEST_EDGES ? new float[0] : Arrays.copyOf(found, count);
  }

  /** Number of features that are encoded. */
  public int features() {
    return edges.length;
  }

  /** Length of the encoding. */
  public int width() {
    int width = 0;
    for (float[] feature : edges) {
      width += Math.max(0, feature.length - 1);
    }
    return width;
  }

  /** These features' bins, then the other's. */
  public Bins and(Bins other) {
    List<float[]> all = new ArrayList<>(List.of(edges));
    all.addAll(List.of(other.edges));
    return new Bins(all.toArray(float[][]::new));
  }

  /**
   * Encodes a vector.
   *
   * @param from first feature in {@code values}
   * @param target takes {@link #width} numbers from {@code at} on
   */
  public void apply(float[] values, int from, float[] target, int at) {
    int to = at;
    for (int f = 0; f < edges.length; f++) {
      float value = values[from + f];
      float[] feature = edges[f];
      for (int b = 1; b < feature.length; b++) {
        float low = feature[b - 1];
        float high = feature[b];
        target[to++] = 2 * (Math.min(Math.max(value, low), high) - low) / (high - low) - 1;
      }
    }
  }
}
