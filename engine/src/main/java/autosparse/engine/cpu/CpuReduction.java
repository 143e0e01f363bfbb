package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.ReductionOperators;
import autosparse.engine.operators.Segments;

/** Fixed slices of rows, their sums added in order. */
final class CpuReduction extends ReductionOperators {
  private static final int LEAST_ROWS = 512;
  private static final int MOST_SLICES = 64;

  private final WorkerPool pool;

  CpuReduction(WorkerPool pool) {
    this.pool = pool;
  }

  /** Number of slices that rows are summed in: by the shape alone. */
  static int slices(long rows) {
    return (int) Math.min(MOST_SLICES, Math.max(1, Tiles.count(rows, LEAST_ROWS)));
  }

  @Override
  protected void applyColumnSum(Tensor x, boolean accumulate, Tensor y) {
    int columns = Math.toIntExact(x.dim(1));
    long rows = x.dim(0);
    double[][] partial = new double[slices(rows)][];
    pool.run(
        partial.length,
        (worker, slice) -> {
          RowSum sum = new RowSum(columns);
          long from = rows * slice / partial.length;
          long to = rows * (slice + 1) / partial.length;
          addRows(pool.scratch(worker), x, from, to, columns, sum);
          partial[(int) slice] = sum.total();
        });
    store(partial, accumulate, y);
  }

  private static void addRows(
      Scratch scratch, Tensor x, long from, long to, int columns, RowSum sum) {
    int step = Tiles.rowsPerTile(columns);
    for (long row = from; row < to; row += step) {
      int count = (int) Math.min(step, to - row);
      float[] values = scratch.array(0, count * columns);
      x.read(row * columns, values, 0, count * columns);
      for (int r = 0; r < count; r++) {
        sum.add(values, r * columns);
      }
    }
  }

  /** y = (y +) Σ partial, in the order of the slices. */
  static void store(double[][] partial, boolean accumulate, Tensor y) {
    float[] values = new float[Math.toIntExact(y.elements())];
    if (accumulate) {
      y.read(0, values, 0, values.length);
    }
    for (int c = 0; c < values.length; c++) {
      double sum = 0;
      for (double[] slice : partial) {
        sum += slice[c];
      }
      values[c] = (float) (values[c] + sum);
    }
    y.write(0, values, 0, values.length);
  }

  @Override
  protected void applySegmentSum(Tensor x, Tensor offsets, Tensor y) {
    int columns = Math.toIntExact(x.dim(1));
    long[] starts = Segments.read("segmentSum", offsets, x.dim(0));
    Tiles.ranges(
        pool,
        y.dim(0),
        segmentsPerTile(x.elements(), y.dim(0)),
        (scratch, first, count) -> {
          RowSum sum = new RowSum(columns);
          float[] result = scratch.array(1, columns);
          for (long s = first; s < first + count; s++) {
            sum.clear();
            addRows(scratch, x, starts[(int) s], starts[(int) s + 1], columns, sum);
            double[] total = sum.total();
            for (int c = 0; c < columns; c++) {
              result[c] = (float) total[c];
            }
            y.write(s * columns, result, 0, columns);
          }
        });
  }

  /** Segments of a tile, so that a tile has about {@link Tiles#ELEMENTS} elements on average. */
  private static int segmentsPerTile(long elements, long segments) {
    long tiles = Math.min(segments, Tiles.count(elements, Tiles.ELEMENTS));
    return (int) Math.max(1, Tiles.count(segments, Math.max(1, tiles)));
  }

  @Override
  protected void applySegmentBroadcast(Tensor y, Tensor offsets, Tensor x) {
    int columns = Math.toIntExact(x.dim(1));
    long[] starts = Segments.read("segmentBroadcast", offsets, x.dim(0));
    Tiles.ranges(
        pool,
        y.dim(0),
        segmentsPerTile(x.elements(), y.dim(0)),
        (scratch, first, count) -> {
          float[] row = scratch.array(0, columns);
          for (long s = first; s < first + count; s++) {
            y.read(s * columns, row, 0, columns);
            for (long t = starts[(int) s]; t < starts[(int) s + 1]; t++) {
              x.write(t * columns, row, 0, columns);
            }
          }
        });
  }

  @Override
  protected void applySum(Tensor x, Tensor y) {
    long elements = x.elements();
    double[][] partial = new double[slices(elements / 32)][1];
    pool.run(
        partial.length,
        (worker, slice) -> {
          long from = elements / partial.length * slice;
          long to = slice == partial.length - 1 ? elements : from + elements / partial.length;
          float[] values = pool.scratch(worker).array(0, Tiles.ELEMENTS);
          for (long at = from; at < to; at += Tiles.ELEMENTS) {
            int count = (int) Math.min(Tiles.ELEMENTS, to - at);
            x.read(at, values, 0, count);
            partial[(int) slice][0] += FloatMath.sum(values, 0, count);
          }
        });
    store(partial, false, y);
  }
}
