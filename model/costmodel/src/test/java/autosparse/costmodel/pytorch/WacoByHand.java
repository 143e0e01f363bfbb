package autosparse.costmodel.pytorch;

import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * WACO's three networks written down a second time, from their published description alone: names,
 * shapes and arithmetic share nothing with the product. Weights are random.
 */
public final class WacoByHand {
  private static final int CHANNELS = 32;
  private static final int LAYERS = 14;

  private final Op op;
  private final Map<String, long[]> sizes;
  private final Map<String, float[]> values = new LinkedHashMap<>();

  private WacoByHand(Op op, Map<String, long[]> sizes) {
    this.op = op;
    this.sizes = sizes;
  }

  /** A network with weights of the size that keeps values near 1 from layer to layer. */
  public static WacoByHand random(Op op, long seed) {
    WacoByHand network = new WacoByHand(op, sizes(op));
    SplittableRandom random = new SplittableRandom(seed);
    network.sizes.forEach(
        (name, size) -> {
          int count = 1;
          for (long s : size) {
            count *= (int) s;
          }
          double scale = Math.sqrt(3.0 / (size.length == 3 ? 3 * size[1] : size[size.length - 1]));
          float[] tensor = new float[count];
          for (int i = 0; i < count; i++) {
            tensor[i] = (float) (scale * (2 * random.nextDouble() - 1));
          }
          network.values.put(name, tensor);
        });
    return network;
  }

  private static Map<String, long[]> sizes(Op op) {
    Map<String, long[]> sizes = new LinkedHashMap<>();
    for (int layer = 1; layer <= LAYERS; layer++) {
      sizes.put(
          "layer" + layer + ".0.kernel",
          layer == 1 ? new long[] {25, 1, CHANNELS} : new long[] {9, CHANNELS, CHANNELS});
    }
    linear(sizes, "feature.0", 3, 64);
    linear(sizes, "feature.2", 64, 32);
    linear(sizes, "matrix_embedding.0", 480, 256);
    linear(sizes, "matrix_embedding.2", 256, 128);
    for (String table : tables(op)) {
      sizes.put(table + ".weight", new long[] {entries(op, table), 32});
    }
    linear(sizes, "order", op == Op.SPMV ? 16 : 36, 32);
    linear(sizes, "schedule_embedding.0", 32L * (tables(op).size() + 1), 128);
    linear(sizes, "schedule_embedding.2", 128, 128);
    linear(sizes, "final.0", 256, 128);
    linear(sizes, "final.2", 128, 64);
    linear(sizes, "final.4", 64, 1);
    return sizes;
  }

  private static void linear(Map<String, long[]> sizes, String name, long in, long out) {
    sizes.put(name + ".weight", new long[] {out, in});
    sizes.put(name + ".bias", new long[] {out});
  }

  /** The embedding tables; the order's embedding stands before the first format. */
  private static List<String> tables(Op op) {
    return switch (op) {
      case SPMV ->
          List.of("isplit", "ksplit", "formati1", "formati0", "formatk1", "formatk0", "parchunk");
      case SPMM ->
          List.of(
              "isplit",
              "ksplit",
              "jsplit",
              "formati1",
              "formati0",
              "formatk1",
              "formatk0",
              "parchunk");
      case SDDMM ->
          List.of(
              "isplit",
              "jsplit",
              "ksplit",
              "formati1",
              "formati0",
              "formatj1",
              "formatj0",
              "paridx",
              "parchunk");
    };
  }

  private static long entries(Op op, String table) {
    if (table.startsWith("format")) {
      return 2;
    }
    if (table.startsWith("par")) {
      return op == Op.SDDMM ? 6 : 9;
    }
    String dense = op == Op.SPMM ? "jsplit" : "ksplit";
    return op != Op.SPMV && table.equals(dense) ? 8 : 17;
  }

  public Op op() {
    return op;
  }

  /** Sizes by name; a test may change them before {@link #toBytes}. */
  public Map<String, long[]> sizes() {
    return sizes;
  }

  /** Values by name; a test may change them before {@link #toBytes}. */
  public Map<String, float[]> values() {
    return values;
  }

  /** The file that PyTorch would write. */
  public byte[] toBytes() throws IOException {
    return PyTorchArchive.stateDict(values, sizes);
  }

  /**
   * The network's prediction; lower = faster.
   *
   * @param shape standardised rows, columns, nnz
   * @param schedule WACO's input vector
   */
  public double predict(SparsityPattern pattern, double[] shape, float[] schedule) {
    double[] query = pools(pattern);
    query = concat(query, linear("feature.2", relu(linear("feature.0", shape))));
    query = linear("matrix_embedding.2", relu(linear("matrix_embedding.0", query)));
    double[] key = new double[0];
    int splits = op == Op.SPMV ? 2 : 3;
    int orders = op == Op.SPMV ? 16 : 36;
    for (String table : tables(op)) {
      if (table.equals("formati1")) {
        double[] order = new double[orders];
        for (int i = 0; i < orders; i++) {
          order[i] = schedule[splits + i];
        }
        key = concat(key, linear("order", order));
      }
      int index =
          switch (table) {
            case "paridx" -> schedule.length - 3;
            case "parchunk" -> schedule.length - 1;
            default -> {
              int place = tables(op).indexOf(table);
              yield place < splits ? place : place + orders;
            }
          };
      double[] row = new double[32];
      for (int c = 0; c < 32; c++) {
        row[c] = values.get(table + ".weight")[32 * (int) schedule[index] + c];
      }
      key = concat(key, row);
    }
    key = linear("schedule_embedding.2", relu(linear("schedule_embedding.0", key)));
    double[] x = relu(linear("final.0", concat(query, key)));
    return linear("final.4", relu(linear("final.2", x)))[0];
  }

  /** Global averages of all layers' outputs. */
  private double[] pools(SparsityPattern pattern) {
    Map<List<Integer>, double[]> sites = new HashMap<>();
    for (int row = 0; row < pattern.rows(); row++) {
      for (long at = pattern.rowPointers()[row]; at < pattern.rowPointers()[row + 1]; at++) {
        sites.put(List.of(row, pattern.columns()[(int) at]), new double[] {1});
      }
    }
    List<double[]> pools = new ArrayList<>();
    sites = convolve(sites, "layer1.0.kernel", 5, 1, 1);
    pools.add(average(sites));
    int stride = 1;
    for (int layer = 2; layer <= LAYERS; layer++) {
      sites = convolve(sites, "layer" + layer + ".0.kernel", 3, stride, 2 * stride);
      stride *= 2;
      pools.add(average(sites));
    }
    return pools.stream().reduce(new double[0], WacoByHand::concat);
  }

  /**
   * ReLU of the convolution: outputs at coordinates rounded down to {@code outStride}, inputs at
   * offsets times {@code inStride} around them, offsets numbered row fastest.
   */
  private Map<List<Integer>, double[]> convolve(
      Map<List<Integer>, double[]> in, String name, int size, int inStride, int outStride) {
    float[] kernel = values.get(name);
    Map<List<Integer>, double[]> out = new HashMap<>();
    for (List<Integer> site : in.keySet()) {
      int row = site.get(0) / outStride * outStride;
      int column = site.get(1) / outStride * outStride;
      out.computeIfAbsent(
          List.of(row, column),
          at -> {
            double[] sum = new double[CHANNELS];
            for (int k = 0; k < size * size; k++) {
              int r = row + (k % size - size / 2) * inStride;
              int c = column + (k / size - size / 2) * inStride;
              double[] x = in.get(List.of(r, c));
              for (int i = 0; x != null && i < x.length; i++) {
                for (int o = 0; o < CHANNELS; o++) {
                  sum[o] += x[i] * kernel[(k * x.length + i) * CHANNELS + o];
                }
              }
            }
            return relu(sum);
          });
    }
    return out;
  }

  private static double[] average(Map<List<Integer>, double[]> sites) {
    double[] mean = new double[CHANNELS];
    for (double[] features : sites.values()) {
      for (int c = 0; c < CHANNELS; c++) {
        mean[c] += features[c] / sites.size();
      }
    }
    return mean;
  }

  private double[] linear(String name, double[] x) {
    float[] weight = values.get(name + ".weight");
    float[] bias = values.get(name + ".bias");
    double[] y = new double[bias.length];
    for (int o = 0; o < y.length; o++) {
      y[o] = bias[o];
      for (int i = 0; i < x.length; i++) {
        y[o] += weight[o * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double[] relu(double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.max(0, x[i]);
    }
    return y;
  }

  private static double[] concat(double[] a, double[] b) {
    double[] both = new double[a.length + b.length];
    System.arraycopy(a, 0, both, 0, a.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
