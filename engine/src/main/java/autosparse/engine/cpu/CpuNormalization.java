package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.NormalizationOperators;

/** Rows in tiles; the parameters' gradients as {@link CpuReduction} sums columns. */
final class CpuNormalization extends NormalizationOperators {
  private final WorkerPool pool;

  CpuNormalization(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  protected void applyLayerNorm(
      Tensor x,
      Tensor gamma,
      Tensor beta,
      double epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverseDeviation) {
    int columns = Math.toIntExact(x.dim(1));
    float[] gammas = gamma.toFloats();
    float[] betas = beta.toFloats();
    Tiles.rows(
        pool,
        x.dim(0),
        columns,
        (scratch, from, count) -> {
          float[] row = scratch.array(0, columns);
          float[] means = scratch.array(1, count);
          float[] inverses = scratch.array(2, count);
          for (int r = 0; r < count; r++) {
            x.read((from + r) * columns, row, 0, columns);
            means[r] = (float) (FloatMath.sum(row, 0, columns) / columns);
            subtract(row, means[r], columns);
            double variance = FloatMath.dot(row, row, 0, columns) / columns;
            inverses[r] = (float) (1 / Math.sqrt(variance + epsilon));
            scaleAndShift(row, inverses[r], gammas, betas, columns);
            y.write((from + r) * columns, row, 0, columns);
          }
          mean.write(from, means, 0, count);
          inverseDeviation.write(from, inverses, 0, count);
        });
  }

  private static void subtract(float[] row, float mean, int columns) {
    for (int c = 0; c < columns; c++) {
      row[c] -= mean;
    }
  }

  private static void scaleAndShift(
      float[] row, float inverse, float[] gammas, float[] betas, int columns) {
    for (int c = 0; c < columns; c++) {
      row[c] = Math.fma(row[c] * inverse, gammas[c], betas[c]);
    }
  }

  @Override
  protected void applyLayerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverseDeviation,
      Tensor dy,
      Tensor dx,
      Tensor dGamma,
      Tensor dBeta) {
    int columns = Math.toIntExact(x.dim(1));
    float[] gammas = gamma.toFloats();
    long rows = x.dim(0);
    int slices = CpuReduction.slices(rows);
    double[][] gammaSums = new double[slices][];
    double[][] betaSums = new double[slices][];
    pool.run(
        slices,
        (worker, slice) -> {
          Scratch scratch = pool.scratch(worker);
          RowSum gammaSum = new RowSum(columns);
          RowSum betaSum = new RowSum(columns);
          float[] row = scratch.array(0, columns);
          float[] gradient = scratch.array(1, columns);
          float[] weighted = scratch.array(2, columns);
          float[] statistics = scratch.array(3, 2);
          for (long r = rows * slice / slices; r < rows * (slice + 1) / slices; r++) {
            x.read(r * columns, row, 0, columns);
            dy.read(r * columns, gradient, 0, columns);
            mean.read(r, statistics, 0, 1);
            inverseDeviation.read(r, statistics, 1, 1);
            normalize(row, statistics[0], statistics[1], gradient, gammas, weighted, columns);
            gammaSum.addProduct(gradient, row, 0);
            betaSum.add(gradient, 0);
            float shift = (float) (FloatMath.sum(weighted, 0, columns) / columns);
            float slope = (float) (FloatMath.dot(weighted, row, 0, columns) / columns);
            project(weighted, row, shift, slope, statistics[1], columns);
            dx.write(r * columns, weighted, 0, columns);
          }
          gammaSums[(int) slice] = gammaSum.total();
          betaSums[(int) slice] = betaSum.total();
        });
    CpuReduction.store(gammaSums, true, dGamma);
    CpuReduction.store(betaSums, true, dBeta);
  }

  private static void normalize(
      float[] row,
      float mean,
      float inverse,
      float[] gradient,
      float[] gammas,
      float[] weighted,
      int columns) {
    for (int c = 0; c < columns; c++) {
      row[c] = (row[c] - mean) * inverse;
      weighted[c] = gradient[c] * gammas[c];
    }
  }

  private static void project(
      float[] weighted, float[] row, float shift, float slope, float inverse, int columns) {
    for (int c = 0; c < columns; c++) {
      weighted[c] = inverse * (weighted[c] - shift - row[c] * slope);
    }
  }
}
