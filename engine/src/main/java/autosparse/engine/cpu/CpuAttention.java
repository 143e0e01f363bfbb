package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.AttentionOperators;
import autosparse.engine.operators.Segments;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/**
 * One small sgemm a product, straight from the packed rows; scores live in scratch only.
 *
 * <p>The unit of work is one head of one sequence; a tile is some units in a row. Long sequences
 * are worked on in blocks of queries, so that scratch stays small.
 */
final class CpuAttention extends AttentionOperators {
  /** Scores that one block of queries makes at most (or one row of them). */
  private static final long BLOCK = 1 << 15;

  /** Tokens times heads of one tile, on average. */
  private static final long TILE = 1 << 9;

  private final WorkerPool pool;

  CpuAttention(WorkerPool pool) {
    this.pool = pool;
  }

  /** A pointer that moves over one tensor. */
  private static final class Cursor {
    final FloatPointer pointer;
    private final long origin;

    Cursor(Tensor tensor) {
      pointer = tensor.floatPointer(0);
      origin = pointer.position();
    }

    void move(long element) {
      pointer.position(origin + element);
    }
  }

  /** Geometry of one call. */
  private record Layout(long[] starts, long tokens, int heads, int channels) {
    static Layout of(String operator, Tensor offsets, int heads, Tensor out) {
      return new Layout(
          Segments.read(operator, offsets, out.dim(0)),
          out.dim(0),
          heads,
          Math.toIntExact(out.dim(1)));
    }

    int headSize() {
      return channels / heads;
    }

    float scale() {
      return (float) (1 / Math.sqrt(headSize()));
    }

    long units() {
      return (starts.length - 1L) * heads;
    }

    int unitsPerTile() {
      return (int) Math.max(1, TILE * units() / Math.max(1, tokens * heads));
    }

    long from(long unit) {
      return starts[(int) (unit / heads)];
    }

    int length(long unit) {
      return Math.toIntExact(starts[(int) (unit / heads) + 1] - from(unit));
    }

    /** First channel of the unit's head. */
    int channel(long unit) {
      return (int) (unit % heads) * headSize();
    }

    int rowsPerBlock(int length) {
      return (int) Math.max(1, Math.min(length, BLOCK / Math.max(1, length)));
    }
  }

  @Override
  protected void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    Layout layout = Layout.of("attention", offsets, heads, out);
    Tiles.ranges(
        pool,
        layout.units(),
        layout.unitsPerTile(),
        (scratch, first, count) -> {
          Cursor q = new Cursor(qkv);
          Cursor k = new Cursor(qkv);
          Cursor v = new Cursor(qkv);
          Cursor o = new Cursor(out);
          for (long unit = first; unit < first + count; unit++) {
            forward(layout, unit, scratch, q, k, v, o, logSumExp);
          }
        });
  }

  private static void forward(
      Layout layout,
      long unit,
      Scratch scratch,
      Cursor q,
      Cursor k,
      Cursor v,
      Cursor o,
      Tensor logSumExp) {
    int length = layout.length(unit);
    int channels = layout.channels();
    int d = layout.headSize();
    int step = layout.rowsPerBlock(length);
    long from = layout.from(unit);
    int channel = layout.channel(unit);
    k.move(from * 3 * channels + channels + channel);
    v.move(from * 3 * channels + 2L * channels + channel);
    scratch.reserveNative(step * length);
    FloatPointer scores = scratch.nativePointer();
    FloatBuffer buffer = scratch.nativeFloats();
    float[] values = scratch.array(0, step * length);
    float[] exponentials = scratch.array(1, step * length);
    for (int row = 0; row < length; row += step) {
      int rows = Math.min(step, length - row);
      q.move((from + row) * 3 * channels + channel);
      o.move((from + row) * channels + channel);
      Blas.sgemm(
          false,
          true,
          rows,
          length,
          d,
          layout.scale(),
          q.pointer,
          3 * channels,
          k.pointer,
          3 * channels,
          0,
          scores,
          length);
      buffer.get(0, values, 0, rows * length);
      for (int r = 0; r < rows; r++) {
        long at = (from + row + r) * layout.heads() + channel / d;
        float max = subtractMax(values, r * length, length);
        logSumExp.floatWindow(at).put(logSumExp.floatIndex(at), max);
      }
      FloatMath.exp(values, 0, rows * length, exponentials);
      for (int r = 0; r < rows; r++) {
        long at = (from + row + r) * layout.heads() + channel / d;
        FloatBuffer logs = logSumExp.floatWindow(at);
        int index = logSumExp.floatIndex(at);
        double sum = FloatMath.sum(exponentials, r * length, (r + 1) * length);
        logs.put(index, (float) (logs.get(index) + FloatMath.log(sum)));
        scale(exponentials, r * length, length, (float) (1 / sum));
      }
      buffer.put(0, exponentials, 0, rows * length);
      Blas.sgemm(
          false,
          false,
          rows,
          d,
          length,
          1,
          scores,
          length,
          v.pointer,
          3 * channels,
          0,
          o.pointer,
          channels);
    }
  }

  private static float subtractMax(float[] values, int at, int length) {
    float max = values[at];
    for (int j = 1; j < length; j++) {
      max = Math.max(max, values[at + j]);
    }
    for (int j = 0; j < length; j++) {
      values[at + j] -= max;
    }
    return max;
  }

  private static void scale(float[] values, int at, int length, float factor) {
    for (int j = 0; j < length; j++) {
      values[at + j] *= factor;
    }
  }

  @Override
  protected void applyAttentionBackward(
      Tensor qkv,
      Tensor offsets,
      int heads,
      Tensor out,
      Tensor logSumExp,
      Tensor dOut,
      Tensor dQkv) {
    Layout layout = Layout.of("attentionBackward", offsets, heads, out);
    Tiles.ranges(
        pool,
        layout.units(),
        layout.unitsPerTile(),
        (scratch, first, count) -> {
          Backward backward = new Backward(layout, scratch, qkv, logSumExp, dOut, dQkv);
          for (long unit = first; unit < first + count; unit++) {
            backward.run(unit);
          }
        });
  }

  /** The backward pass of one worker's units. */
  private static final class Backward {
    private final Layout layout;
    private final Scratch scratch;
    private final Tensor logSumExp;
    private final int channels;
    private final int d;
    private final Cursor q;
    private final Cursor k;
    private final Cursor v;
    private final Cursor dO;
    private final Cursor dQ;
    private final Cursor dK;
    private final Cursor dV;

    Backward(
        Layout layout, Scratch scratch, Tensor qkv, Tensor logSumExp, Tensor dOut, Tensor dQkv) {
      this.layout = layout;
      this.scratch = scratch;
      this.logSumExp = logSumExp;
      channels = layout.channels();
      d = layout.headSize();
      q = new Cursor(qkv);
      k = new Cursor(qkv);
      v = new Cursor(qkv);
      dO = new Cursor(dOut);
      dQ = new Cursor(dQkv);
      dK = new Cursor(dQkv);
      dV = new Cursor(dQkv);
    }

    void run(long unit) {
      int length = layout.length(unit);
      int step = layout.rowsPerBlock(length);
      long from = layout.from(unit);
      int channel = layout.channel(unit);
      long start = from * 3 * channels + channel;
      k.move(start + channels);
      v.move(start + 2L * channels);
      dK.move(start + channels);
      dV.move(start + 2L * channels);
      scratch.reserveNative(2 * step * length);
      FloatPointer probabilities = new FloatPointer(scratch.nativePointer());
      FloatPointer gradients = new FloatPointer(scratch.nativePointer());
      gradients.position((long) step * length);
      float[] p = scratch.array(0, step * length);
      float[] dP = scratch.array(1, step * length);
      FloatBuffer buffer = scratch.nativeFloats();
      int distance = 3 * channels;
      float kept = 0; // the keys' and values' gradients add up over the blocks of queries
      for (int row = 0; row < length; row += step) {
        int rows = Math.min(step, length - row);
        q.move((from + row) * distance + channel);
        dQ.move((from + row) * distance + channel);
        dO.move((from + row) * channels + channel);
        Blas.sgemm(
            false,
            true,
            rows,
            length,
            d,
            layout.scale(),
            q.pointer,
            distance,
            k.pointer,
            distance,
            0,
            probabilities,
            length);
        Blas.sgemm(
            false,
            true,
            rows,
            length,
            d,
            1,
            dO.pointer,
            channels,
            v.pointer,
            distance,
            0,
            gradients,
            length);
        buffer.get(0, dP, 0, rows * length);
        buffer.get(step * length, p, 0, rows * length);
        probabilities(dP, p, from + row, channel / d, rows, length, buffer, step * length);
        Blas.sgemm(
            true,
            false,
            length,
            d,
            rows,
            1,
            probabilities,
            length,
            dO.pointer,
            channels,
            kept,
            dV.pointer,
            distance);
        Blas.sgemm(
            false,
            false,
            rows,
            d,
            length,
            layout.scale(),
            gradients,
            length,
            k.pointer,
            distance,
            0,
            dQ.pointer,
            distance);
        Blas.sgemm(
            true,
            false,
            length,
            d,
            rows,
            layout.scale(),
            gradients,
            length,
            q.pointer,
            distance,
            kept,
            dK.pointer,
            distance);
        kept = 1;
      }
    }

    /**
     * From scores and the probabilities' gradients to probabilities and the scores' gradients,
     * P∘(dP − Σ P·dP), which are put into the native block.
     */
    private void probabilities(
        float[] scores,
        float[] dP,
        long token,
        int head,
        int rows,
        int length,
        FloatBuffer buffer,
        int second) {
      for (int r = 0; r < rows; r++) {
        long at = (token + r) * layout.heads() + head;
        float log = logSumExp.floatWindow(at).get(logSumExp.floatIndex(at));
        for (int j = r * length; j < (r + 1) * length; j++) {
          scores[j] -= log;
        }
      }
      float[] p = scratch.array(2, rows * length);
      FloatMath.exp(scores, 0, rows * length, p);
      for (int r = 0; r < rows; r++) {
        float mean = (float) FloatMath.dot(p, dP, r * length, (r + 1) * length);
        for (int j = r * length; j < (r + 1) * length; j++) {
          dP[j] = p[j] * (dP[j] - mean);
        }
      }
      buffer.put(0, p, 0, rows * length);
      buffer.put(second, dP, 0, rows * length);
    }
  }
}
