package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/**
 * The layout of {@link WacoFeatures}, judged by the published network: fed with our vectors, the
 * published weights must predict what an independent implementation wrote down. Any two entries
 * exchanged would show.
 */
class WacoPredictionTest {
  private static final double TOLERANCE = 1e-4;

  /** Storage numbers of the tensors in the published checkpoint, in the network's order. */
  private static final String[] EMBEDDINGS = {
    "93955345707536", // rows' inner size [17, 32]
    "93955345710912", // columns' inner size [17, 32]
    "93955344953376", // dense axis's inner size [8, 32]
  };

  private static final String ORDER_WEIGHT = "93955345722032"; // [32, 36]
  private static final String ORDER_BIAS = "93955345727248";
  private static final String[] FORMATS = {
    "93955345715696", "93955345716560", "93955345717424", "93955345719408"
  };
  private static final String CHUNK = "93955345720272"; // [9, 32]

  /** Weight and bias of the linear layers: two of the schedule's embedding, three of the head. */
  private static final String[][] LAYERS = {
    {"93955345727984", "93955345876048"},
    {"93955345877168", "93955345943312"},
    {"93955345944432", "93955346076112"},
    {"93955346077232", "93955346110608"},
    {"93955346111472", "93955346112336"},
  };

  @Test
  void publishedWeightsPredictTheReferenceValues() throws IOException {
    Path weights = SharedData.require("waco/weights/waco-spmm.pth");
    String json = Files.readString(SharedData.require("waco/reference-vectors-spmm.json"));
    List<String> lines = arrays(json, "lines");
    List<String> queries = arrays(json, "query128_shape000");
    List<String> predictions = arrays(json, "pred10");
    assertEquals(2, lines.size());
    try (ZipFile zip = new ZipFile(weights.toFile())) {
      for (int matrix = 0; matrix < lines.size(); matrix++) {
        double[] query = numbers(queries.get(matrix));
        double[] expected = numbers(predictions.get(matrix));
        List<String> schedules = new ArrayList<>();
        Matcher quoted = Pattern.compile("\"([^\"]*)\"").matcher(lines.get(matrix));
        while (quoted.find()) {
          schedules.add(quoted.group(1));
        }
        assertEquals(expected.length, schedules.size());
        for (int s = 0; s < expected.length; s++) {
          MeasuredSchedule record =
              WacoSchedule.parseMeasured(Op.SPMM, schedules.get(s), ScheduleTest.HERE);
          double predicted = predict(zip, query, WacoFeatures.of(Op.SPMM, record.schedule()));
          assertEquals(expected[s], predicted, TOLERANCE, schedules.get(s));
        }
      }
    }
  }

  private static double predict(ZipFile zip, double[] query, float[] features) throws IOException {
    double[] input = new double[0];
    for (int axis = 0; axis < 3; axis++) {
      input = concat(input, row(zip, EMBEDDINGS[axis], (int) features[axis]));
    }
    int from = WacoFeatures.orderOffset(Op.SPMM);
    double[] order = new double[36];
    for (int p = 0; p < order.length; p++) {
      order[p] = features[from + p];
    }
    input = concat(input, linear(zip, ORDER_WEIGHT, ORDER_BIAS, order));
    for (int level = 0; level < 4; level++) {
      int flag = (int) features[WacoFeatures.formatOffset(Op.SPMM) + level];
      input = concat(input, row(zip, FORMATS[level], flag));
    }
    input = concat(input, row(zip, CHUNK, (int) features[WacoFeatures.length(Op.SPMM) - 1]));
    double[] schedule =
        linear(
            zip, LAYERS[1][0], LAYERS[1][1], relu(linear(zip, LAYERS[0][0], LAYERS[0][1], input)));
    double[] x = concat(query, schedule);
    x = relu(linear(zip, LAYERS[2][0], LAYERS[2][1], x));
    x = relu(linear(zip, LAYERS[3][0], LAYERS[3][1], x));
    return linear(zip, LAYERS[4][0], LAYERS[4][1], x)[0];
  }

  private static double[] row(ZipFile zip, String table, int index) throws IOException {
    return Arrays.copyOfRange(tensor(zip, table), index * 32, (index + 1) * 32);
  }

  private static double[] linear(ZipFile zip, String weight, String bias, double[] x)
      throws IOException {
    double[] w = tensor(zip, weight);
    double[] y = tensor(zip, bias);
    assertEquals(w.length, x.length * y.length);
    for (int o = 0; o < y.length; o++) {
      for (int i = 0; i < x.length; i++) {
        y[o] += w[o * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double[] relu(double[] x) {
    return Arrays.stream(x).map(value -> Math.max(0, value)).toArray();
  }

  private static double[] concat(double[] a, double[] b) {
    double[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static double[] tensor(ZipFile zip, String storage) throws IOException {
    try (InputStream in = zip.getInputStream(zip.getEntry("archive/data/" + storage))) {
      ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
      double[] values = new double[bytes.remaining() / 4];
      for (int i = 0; i < values.length; i++) {
        values[i] = bytes.getFloat();
      }
      return values;
    }
  }

  private static List<String> arrays(String json, String key) {
    List<String> found = new ArrayList<>();
    Matcher matcher = Pattern.compile("\"" + key + "\": \\[([^\\]]*)\\]").matcher(json);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  private static double[] numbers(String list) {
    return Arrays.stream(list.split(",", -1)).mapToDouble(Double::parseDouble).toArray();
  }
}
