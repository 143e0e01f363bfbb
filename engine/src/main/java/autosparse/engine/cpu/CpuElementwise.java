package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.DropoutMask;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.Segments;
import java.util.Arrays;

/** Copy a tile in, compute, copy it out. */
final class CpuElementwise extends ElementwiseOperators {
  private static final float INVERSE_ROOT_2_PI = 0.3989423f;

  private final WorkerPool pool;

  CpuElementwise(WorkerPool pool) {
    this.pool = pool;
  }

  /** Changes {@code count} values of a tile, the first of them element {@code from}. */
  @FunctionalInterface
  private interface Change {
    void apply(Scratch scratch, long from, float[] values, int count);
  }

  /** y = change(x), tile by tile; slot 0 of the scratch holds the values. */
  private void map(Tensor x, Tensor y, Change change) {
    Tiles.elements(
        pool,
        y.elements(),
        (scratch, from, count) -> {
          float[] values = read(x, scratch, 0, from, count);
          change.apply(scratch, from, values, count);
          y.write(from, values, 0, count);
        });
  }

  private static float[] read(Tensor x, Scratch scratch, int slot, long from, int count) {
    float[] values = scratch.array(slot, count);
    x.read(from, values, 0, count);
    return values;
  }

  @Override
  protected void applyFill(Tensor y, double value) {
    Tiles.elements(
        pool,
        y.elements(),
        (scratch, from, count) -> {
          float[] ys = scratch.array(0, count);
          Arrays.fill(ys, 0, count, (float) value);
          y.write(from, ys, 0, count);
        });
  }

  @Override
  protected void applyCopy(Tensor x, Tensor y) {
    map(x, y, (scratch, from, values, count) -> {});
  }

  @Override
  protected void applyAdd(Tensor a, Tensor b, Tensor y) {
    map(a, y, (scratch, from, as, count) -> addTo(as, read(b, scratch, 1, from, count), count));
  }

  private static void addTo(float[] a, float[] b, int count) {
    for (int i = 0; i < count; i++) {
      a[i] += b[i];
    }
  }

  @Override
  protected void applyAxpy(double alpha, Tensor x, Tensor y) {
    map(
        y,
        y,
        (scratch, from, ys, count) ->
            multiplyAdd((float) alpha, read(x, scratch, 1, from, count), ys, count));
  }

  private static void multiplyAdd(float alpha, float[] x, float[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] = Math.fma(alpha, x[i], y[i]);
    }
  }

  @Override
  protected void applyScale(double alpha, Tensor x, Tensor y) {
    map(x, y, (scratch, from, xs, count) -> multiply((float) alpha, xs, 0, count));
  }

  private static void multiply(float factor, float[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      x[i] *= factor;
    }
  }

  @Override
  protected void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {
    long columns = x.shape().rowElements();
    long[] starts = Segments.read("scaleGroups", offsets, x.dim(0));
    float[] factors = factor.toFloats();
    map(
        x,
        y,
        (scratch, from, xs, count) -> {
          int group = groupOf(starts, from / columns);
          for (int at = 0; at < count; group++) {
            int end = (int) Math.min(count, starts[group + 1] * columns - from);
            multiply(factors[group], xs, at, Math.max(at, end));
            at = Math.max(at, end);
          }
        });
  }

  /** The group that a row belongs to, or an empty one just before it. */
  private static int groupOf(long[] starts, long row) {
    int found = Arrays.binarySearch(starts, row);
    return Math.min(found >= 0 ? found : -found - 2, starts.length - 2);
  }

  @Override
  protected void applyActivation(Activation activation, Tensor x, Tensor y) {
    map(
        x,
        y,
        (scratch, from, xs, count) -> {
          switch (activation) {
            case IDENTITY -> {}
            case RELU -> relu(xs, count);
            case GELU -> gelu(xs, gaussians(scratch, xs, count), count);
          }
        });
  }

  private static void relu(float[] x, int count) {
    for (int i = 0; i < count; i++) {
      x[i] = Math.max(x[i], 0f);
    }
  }

  /** e^{−x²/2} in slot 2 (slot 1 is used up). */
  private static float[] gaussians(Scratch scratch, float[] x, int count) {
    float[] arguments = scratch.array(1, count);
    float[] results = scratch.array(2, count);
    for (int i = 0; i < count; i++) {
      arguments[i] = -0.5f * x[i] * x[i];
    }
    FloatMath.exp(arguments, 0, count, results);
    return results;
  }

  private static void gelu(float[] x, float[] gaussians, int count) {
    for (int i = 0; i < count; i++) {
      float absolute = Math.abs(x[i]);
      float tail = FloatMath.upperTail(absolute, gaussians[i]);
      x[i] = Math.max(x[i], 0f) - absolute * tail;
    }
  }

  private static void geluSlope(float[] x, float[] gaussians, float[] dy, int count) {
    for (int i = 0; i < count; i++) {
      float tail = FloatMath.upperTail(Math.abs(x[i]), gaussians[i]);
      float below = 0.5f + Math.copySign(0.5f - tail, x[i]);
      dy[i] *= Math.fma(x[i] * INVERSE_ROOT_2_PI, gaussians[i], below);
    }
  }

  @Override
  protected void applyActivationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {
    switch (activation) {
      case IDENTITY -> applyCopy(dy, dx);
      case RELU -> reluBackward(x, dy, dx);
      case GELU -> geluBackward(x, dy, dx);
    }
  }

  private void reluBackward(Tensor x, Tensor dy, Tensor dx) {
    Tiles.elements(
        pool,
        dx.elements(),
        (scratch, from, count) -> {
          int[] xs = scratch.ints(0, count);
          int[] ds = scratch.ints(1, count);
          x.readBits(from, xs, 0, count);
          dy.readBits(from, ds, 0, count);
          keepWherePositive(xs, ds, count);
          dx.writeBits(from, ds, 0, count);
        });
  }

  /**
   * Bits of x above 0 mean a positive float; masks instead of branches, half of which would miss.
   */
  private static void keepWherePositive(int[] x, int[] d, int count) {
    for (int i = 0; i < count; i++) {
      d[i] &= (-x[i] >> 31) & ~(x[i] >> 31);
    }
  }

  private void geluBackward(Tensor x, Tensor dy, Tensor dx) {
    map(
        dy,
        dx,
        (scratch, from, ds, count) -> {
          float[] xs = read(x, scratch, 3, from, count);
          geluSlope(xs, gaussians(scratch, xs, count), ds, count);
        });
  }

  @Override
  protected void applyDropout(Tensor x, double keep, long seed, Tensor y) {
    long threshold = DropoutMask.threshold(keep);
    float factor = (float) (1 / keep);
    map(
        x,
        y,
        (scratch, from, xs, count) -> {
          for (int i = 0; i < count; i++) {
            xs[i] = DropoutMask.keeps(seed, from + i, threshold) ? xs[i] * factor : 0f;
          }
        });
  }

  @Override
  protected void applyCopyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {
    Tiles.rows(
        pool,
        x.dim(0),
        columns,
        (scratch, from, count) -> {
          for (long n = from; n < from + count; n++) {
            for (long c = 0; c < columns; c += Tiles.ELEMENTS) {
              int width = (int) Math.min(Tiles.ELEMENTS, columns - c);
              float[] values = scratch.array(0, width);
              x.read(n * x.dim(1) + xFrom + c, values, 0, width);
              long target = n * y.dim(1) + yFrom + c;
              if (accumulate) {
                float[] old = scratch.array(1, width);
                y.read(target, old, 0, width);
                addTo(values, old, width);
              }
              y.write(target, values, 0, width);
            }
          }
        });
  }
}
