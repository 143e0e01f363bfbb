package autosparse.trainer.options;

import autosparse.costmodel.tokens.Scaling;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.List;

/**
 * Everything {@code import} was asked for.
 *
 * @param op the operator whose network it is
 * @param weights the published file
 * @param shapeMean means of rows, columns and nnz over the matrices that the network was trained
 *     on; empty for shape (0, 0, 0)
 * @param shapeDeviation their standard deviations; empty for shape (0, 0, 0)
 * @param out the run's folder
 */
public record ImportOptions(
    Op op, Path weights, List<Double> shapeMean, List<Double> shapeDeviation, Path out) {
  /** Inputs of the shape's embedding: rows, columns, nnz. */
  private static final int SHAPE = 3;

  /** Of {@link ImportOptions#shape}, which has the density too. */
  private static final int FEATURES = 4;

  /** Throws {@link InputException} for values out of range. */
  public ImportOptions {
    shapeMean = List.copyOf(shapeMean);
    shapeDeviation = List.copyOf(shapeDeviation);
    for (double mean : shapeMean) {
      Require.that(Double.isFinite(mean), "--shape-mean", mean, "finite numbers");
    }
    for (double deviation : shapeDeviation) {
      Require.that(
          deviation > 0 && Double.isFinite(deviation), "--shape-std", deviation, "numbers above 0");
    }
    requireThree("--shape-mean", shapeMean);
    requireThree("--shape-std", shapeDeviation);
    if (shapeMean.isEmpty() != shapeDeviation.isEmpty()) {
      throw new InputException(
          (shapeMean.isEmpty() ? "--shape-mean" : "--shape-std")
              + ": missing, expected both, or neither for shape (0, 0, 0)");
    }
  }

  private static void requireThree(String option, List<Double> values) {
    Require.that(
        values.isEmpty() || values.size() == SHAPE,
        option,
        values.size() + " numbers",
        "three: rows, columns, nnz");
  }

  /** Standardisation of rows, columns, nnz and the density, which no network of WACO's reads. */
  public Scaling shape() {
    if (shapeMean.isEmpty()) {
      return Scaling.zero(FEATURES);
    }
    float[] mean = new float[FEATURES];
    float[] inverse = new float[FEATURES];
    for (int f = 0; f < SHAPE; f++) {
      mean[f] = shapeMean.get(f).floatValue();
      inverse[f] = (float) (1 / shapeDeviation.get(f));
    }
    return new Scaling(mean, inverse);
  }
}
