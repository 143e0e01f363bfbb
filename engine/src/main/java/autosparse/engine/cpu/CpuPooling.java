package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.operators.PoolingOperators;

/** Global pooling with partial sums in double over fixed slices, added in their order. */
final class CpuPooling extends PoolingOperators {
  /** Floats that one tile moves. */
  private static final int TILE_FLOATS = 1 << 15;

  private final WorkerPool pool;

  CpuPooling(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  protected void applyPool(Tensor x, Tensor offsets, boolean averaged, Tensor y) {
    if (y.elements() == 0) {
      return;
    }
    int channels = Math.toIntExact(x.dim(1));
    Slices slices = new Slices(offsets.toLongs(), Math.max(1, TILE_FLOATS / channels));
    double[][] partials = new double[slices.count()][];
    pool.run(
        slices.count(),
        (worker, slice) -> {
          int rows = slices.rows((int) slice);
          float[] values = pool.scratch(worker).array(0, rows * channels);
          x.read(slices.start((int) slice) * channels, values, 0, rows * channels);
          double[] sum = new double[channels];
          for (int row = 0; row < rows; row++) {
            for (int c = 0; c < channels; c++) {
              sum[c] += values[row * channels + c];
            }
          }
          partials[(int) slice] = sum;
        });
    double[] result = averaged ? new double[Math.toIntExact(y.elements())] : y.toDoubles();
    double[] total = new double[channels];
    for (int b = 0; b < y.dim(0); b++) {
      java.util.Arrays.fill(total, 0);
      for (int slice = slices.first(b); slice < slices.first(b + 1); slice++) {
        for (int c = 0; c < channels; c++) {
          total[c] += partials[slice][c];
        }
      }
      for (int c = 0; c < channels; c++) {
        int at = b * channels + c;
        result[at] = averaged ? total[c] / Math.max(1, slices.sites(b)) : result[at] + total[c];
      }
    }
    y.setDoubles(result);
  }

  @Override
  protected void applyReluPoolBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, boolean averaged, Tensor dz) {
    if (y.elements() == 0) {
      return;
    }
    int channels = Math.toIntExact(y.dim(1));
    // Rows before the first matrix and behind the last: as of two more, which have no share.
    int matrices = Math.toIntExact(dPooled.dim(0));
    long[] bounds = new long[matrices + 3];
    offsets.read(0, bounds, 1, matrices + 1);
    bounds[matrices + 2] = y.dim(0);
    Slices slices = new Slices(bounds, Math.max(1, TILE_FLOATS / channels));
    DeviceMemory bits = y.device().memory();
    float[] shares = new float[(matrices + 2) * channels];
    dPooled.read(0, shares, channels, matrices * channels);
    for (int b = 1; averaged && b <= matrices; b++) {
      for (int c = 0; c < channels; c++) {
        shares[b * channels + c] /= Math.max(1, slices.sites(b));
      }
    }
    pool.run(
        slices.count(),
        (worker, slice) -> {
          int count = slices.rows((int) slice) * channels;
          long from = slices.start((int) slice) * channels;
          Scratch scratch = pool.scratch(worker);
          int[] outputs = scratch.ints(0, count);
          float[] gradients = scratch.array(0, count);
          bits.read(y.offset() + 4 * from, outputs, 0, count);
          repeat(shares, slices.matrix((int) slice) * channels, channels, gradients, count);
          if (dNext != null) {
            float[] next = scratch.array(1, count);
            dNext.read(from, next, 0, count);
            for (int i = 0; i < count; i++) {
              gradients[i] += next[i];
            }
          }
          for (int i = 0; i < count; i++) {
            gradients[i] *= isPositive(outputs[i]);
          }
          dz.write(from, gradients, 0, count);
        });
  }

  /**
   * 1 for the bits of a positive float, else 0. A branch on the sign of an activation is taken at
   * random and mispredicted half the time; this is integer arithmetic that the JIT vectorises.
   */
  private static int isPositive(int bits) {
    return ~((bits - 1) | bits) >>> 31;
  }

  /** Fills {@code count} elements with one row, over and over. */
  private static void repeat(float[] source, int from, int length, float[] target, int count) {
    System.arraycopy(source, from, target, 0, length);
    for (int filled = length; filled < count; filled *= 2) {
      System.arraycopy(target, 0, target, filled, Math.min(filled, count - filled));
    }
  }

  /** Rows of a batch, cut so that no slice crosses from one matrix to the next. */
  private static final class Slices {
    private final long[] offsets;
    private final int sliceRows;
    private final int[] first;
    private final int[] matrix;

    Slices(long[] offsets, int sliceRows) {
      this.offsets = offsets;
      this.sliceRows = sliceRows;
      first = new int[offsets.length];
      for (int b = 0; b < offsets.length - 1; b++) {
        first[b + 1] = Math.toIntExact(first[b] + (sites(b) + sliceRows - 1) / sliceRows);
      }
      matrix = new int[first[offsets.length - 1]];
      for (int b = 0; b < offsets.length - 1; b++) {
        java.util.Arrays.fill(matrix, first[b], first[b + 1], b);
      }
    }

    int count() {
      return matrix.length;
    }

    int matrix(int slice) {
      return matrix[slice];
    }

    int first(int b) {
      return first[b];
    }

    long sites(int b) {
      return offsets[b + 1] - offsets[b];
    }

    long start(int slice) {
      int b = matrix[slice];
      return offsets[b] + (long) (slice - first[b]) * sliceRows;
    }

    int rows(int slice) {
      return (int) Math.min(sliceRows, offsets[matrix[slice] + 1] - start(slice));
    }
  }
}
