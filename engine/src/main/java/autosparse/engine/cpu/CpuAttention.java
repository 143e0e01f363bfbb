package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.cpu.AttentionLayout.Unit;
import autosparse.engine.operators.AttentionOperators;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * One small sgemm a product, straight from the packed rows; scores live in scratch only.
 *
 * <p>Scores stand transposed, [keys, lanes], a lane being one query of one head: the loops of the
 * softmax then run over all queries of all heads of a sequence, long enough for vector instructions
 * even when sequences are short.
 */
final class CpuAttention extends AttentionOperators {
  private final WorkerPool pool;

  CpuAttention(WorkerPool pool) {
    this.pool = pool;
  }

  /** A pointer that moves over one tensor. */
  private static final class Cursor {
    private final FloatPointer pointer;
    private final long origin;

    Cursor(Tensor tensor) {
      pointer = tensor.floatPointer(0);
      origin = pointer.position();
    }

    FloatPointer at(long element) {
      return pointer.position(origin + element);
    }
  }

  @Override
  protected void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    AttentionLayout layout = AttentionLayout.of("attention", offsets, heads, out);
    Tiles.ranges(
        pool,
        layout.units(),
        layout.unitsPerTile(),
        (scratch, first, count) -> {
          Forward forward = new Forward(layout, scratch, qkv, out, logSumExp);
          int sequence = layout.sequenceOf(first);
          for (long unit = first; unit < first + count; unit++) {
            sequence += unit == layout.firstUnits()[sequence + 1] ? 1 : 0;
            forward.run(layout.unit(unit, sequence));
          }
        });
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
    AttentionLayout layout = AttentionLayout.of("attentionBackward", offsets, heads, out);
    Tiles.ranges(
        pool,
        layout.units(),
        layout.unitsPerTile(),
        (scratch, first, count) -> {
          Backward backward = new Backward(layout, scratch, qkv, logSumExp, dOut, dQkv);
          int sequence = layout.sequenceOf(first);
          for (long unit = first; unit < first + count; unit++) {
            sequence += unit == layout.firstUnits()[sequence + 1] ? 1 : 0;
            backward.run(layout.unit(unit, sequence));
          }
        });
  }

  /** What both passes of one worker share. */
  private abstract static class Pass {
    final AttentionLayout layout;
    final Scratch scratch;
    final int channels;
    final int d;

    /** Distance between two rows of qkv. */
    final int distance;

    final Cursor q;
    final Cursor k;
    final Cursor v;
    private final Tensor logSumExp;

    Pass(AttentionLayout layout, Scratch scratch, Tensor qkv, Tensor logSumExp) {
      this.layout = layout;
      this.scratch = scratch;
      this.logSumExp = logSumExp;
      channels = layout.channels();
      d = layout.headSize();
      distance = 3 * channels;
      q = new Cursor(qkv);
      k = new Cursor(qkv);
      v = new Cursor(qkv);
    }

    final void run(Unit unit) {
      for (int row = 0; row < unit.length(); row += unit.block()) {
        block(unit, row, Math.min(unit.block(), unit.length() - row));
      }
    }

    /** Works on the queries {@code row} to {@code row + rows} of the unit's sequence. */
    abstract void block(Unit unit, int row, int rows);

    /** Index of a query's first channel of a head in qkv; keys and values follow C and 2C later. */
    final long query(Unit unit, int row, int head) {
      return (unit.from() + row) * distance + (long) head * d;
    }

    /** Index of the same in out. */
    final long output(Unit unit, int row, int head) {
      return (unit.from() + row) * channels + (long) head * d;
    }

    /** Scores of all heads: [keys, lanes], lane = (head of the group)·rows + query. */
    final void scores(Unit unit, int row, int rows, FloatPointer target) {
      int lanes = unit.headCount() * rows;
      for (int g = 0; g < unit.headCount(); g++) {
        int head = unit.firstHead() + g;
        Blas.sgemm(
            false,
            true,
            unit.length(),
            rows,
            d,
            layout.scale(),
            k.at(query(unit, 0, head) + channels),
            distance,
            q.at(query(unit, row, head)),
            distance,
            0,
            target.position((long) g * rows),
            lanes);
      }
    }

    /** Moves the lanes' entries of logSumExp between the tensor and an array. */
    final void logs(Unit unit, int row, int rows, float[] lanes, boolean store) {
      for (int g = 0; g < unit.headCount(); g++) {
        for (int r = 0; r < rows; r++) {
          long at = (unit.from() + row + r) * layout.heads() + unit.firstHead() + g;
          FloatBuffer window = logSumExp.floatWindow(at);
          int index = logSumExp.floatIndex(at);
          if (store) {
            window.put(index, lanes[g * rows + r]);
          } else {
            lanes[g * rows + r] = window.get(index);
          }
        }
      }
    }
  }

  private static final class Forward extends Pass {
    private final Cursor o;

    Forward(AttentionLayout layout, Scratch scratch, Tensor qkv, Tensor out, Tensor logSumExp) {
      super(layout, scratch, qkv, logSumExp);
      o = new Cursor(out);
    }

    @Override
    void block(Unit unit, int row, int rows) {
      int lanes = unit.headCount() * rows;
      int size = unit.length() * lanes;
      scratch.reserveNative(unit.scores());
      FloatPointer products = new FloatPointer(scratch.nativePointer());
      scores(unit, row, rows, products);
      float[] values = scratch.array(0, unit.scores());
      float[] p = scratch.array(1, unit.scores());
      float[] logs = scratch.array(2, lanes);
      float[] sums = scratch.array(3, lanes);
      scratch.nativeFloats().get(0, values, 0, size);
      Arrays.fill(logs, 0, lanes, Float.NEGATIVE_INFINITY);
      Arrays.fill(sums, 0, lanes, 0f);
      for (int at = 0; at < size; at += lanes) {
        raise(logs, values, at, lanes);
      }
      for (int at = 0; at < size; at += lanes) {
        subtract(values, at, logs, lanes);
      }
      FloatMath.exp(values, 0, size, p);
      for (int at = 0; at < size; at += lanes) {
        add(sums, p, at, lanes);
      }
      for (int lane = 0; lane < lanes; lane++) {
        logs[lane] += (float) FloatMath.log(sums[lane]);
        sums[lane] = 1 / sums[lane];
      }
      for (int at = 0; at < size; at += lanes) {
        multiply(p, at, sums, lanes);
      }
      logs(unit, row, rows, logs, true);
      scratch.nativeFloats().put(0, p, 0, size);
      for (int g = 0; g < unit.headCount(); g++) {
        int head = unit.firstHead() + g;
        Blas.sgemm(
            true,
            false,
            rows,
            d,
            unit.length(),
            1,
            products.position((long) g * rows),
            lanes,
            v.at(query(unit, 0, head) + 2L * channels),
            distance,
            0,
            o.at(output(unit, row, head)),
            channels);
      }
    }
  }

  private static final class Backward extends Pass {
    private final Cursor dO;
    private final Cursor dX;

    Backward(
        AttentionLayout layout,
        Scratch scratch,
        Tensor qkv,
        Tensor logSumExp,
        Tensor dOut,
        Tensor dQkv) {
      super(layout, scratch, qkv, logSumExp);
      dO = new Cursor(dOut);
      dX = new Cursor(dQkv);
    }

    @Override
    void block(Unit unit, int row, int rows) {
      int lanes = unit.headCount() * rows;
      int size = unit.length() * lanes;
      scratch.reserveNative(2 * unit.scores());
      FloatPointer first = new FloatPointer(scratch.nativePointer());
      FloatPointer second = new FloatPointer(scratch.nativePointer());
      int secondStart = unit.scores();
      scores(unit, row, rows, first);
      for (int g = 0; g < unit.headCount(); g++) {
        int head = unit.firstHead() + g;
        Blas.sgemm(
            false,
            true,
            unit.length(),
            rows,
            d,
            1,
            v.at(query(unit, 0, head) + 2L * channels),
            distance,
            dO.at(output(unit, row, head)),
            channels,
            0,
            second.position(secondStart + (long) g * rows),
            lanes);
      }
      float[] values = scratch.array(0, unit.scores());
      float[] p = scratch.array(1, unit.scores());
      float[] gradients = scratch.array(2, unit.scores());
      float[] perLane = scratch.array(3, lanes);
      scratch.nativeFloats().get(0, values, 0, size);
      scratch.nativeFloats().get(secondStart, gradients, 0, size);
      logs(unit, row, rows, perLane, false);
      for (int at = 0; at < size; at += lanes) {
        subtract(values, at, perLane, lanes);
      }
      FloatMath.exp(values, 0, size, p);
      // The softmax's gradient: P∘(dP − Σ P·dP).
      Arrays.fill(perLane, 0, lanes, 0f);
      for (int at = 0; at < size; at += lanes) {
        addProduct(perLane, p, gradients, at, lanes);
      }
      for (int at = 0; at < size; at += lanes) {
        project(gradients, p, at, perLane, lanes);
      }
      scratch.nativeFloats().put(0, p, 0, size);
      scratch.nativeFloats().put(secondStart, gradients, 0, size);
      products(unit, row, rows, first, second.position(secondStart));
    }

    /** Gradients of queries, keys and values; the last two add up over the blocks of queries. */
    private void products(Unit unit, int row, int rows, FloatPointer p, FloatPointer gradients) {
      int lanes = unit.headCount() * rows;
      long start = gradients.position();
      float kept = row == 0 ? 0 : 1;
      for (int g = 0; g < unit.headCount(); g++) {
        int head = unit.firstHead() + g;
        p.position((long) g * rows);
        gradients.position(start + (long) g * rows);
        Blas.sgemm(
            false,
            false,
            unit.length(),
            d,
            rows,
            1,
            p,
            lanes,
            dO.at(output(unit, row, head)),
            channels,
            kept,
            dX.at(query(unit, 0, head) + 2L * channels),
            distance);
        Blas.sgemm(
            false,
            false,
            unit.length(),
            d,
            rows,
            layout.scale(),
            gradients,
            lanes,
            q.at(query(unit, row, head)),
            distance,
            kept,
            dX.at(query(unit, 0, head) + channels),
            distance);
        Blas.sgemm(
            true,
            false,
            rows,
            d,
            unit.length(),
            layout.scale(),
            gradients,
            lanes,
            k.at(query(unit, 0, head) + channels),
            distance,
            0,
            dX.at(query(unit, row, head)),
            distance);
      }
    }
  }

  private static void raise(float[] maxima, float[] values, int at, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      maxima[lane] = Math.max(maxima[lane], values[at + lane]);
    }
  }

  private static void subtract(float[] values, int at, float[] perLane, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      values[at + lane] -= perLane[lane];
    }
  }

  private static void multiply(float[] values, int at, float[] perLane, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      values[at + lane] *= perLane[lane];
    }
  }

  private static void add(float[] perLane, float[] values, int at, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      perLane[lane] += values[at + lane];
    }
  }

  private static void addProduct(float[] perLane, float[] a, float[] b, int at, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      perLane[lane] = Math.fma(a[at + lane], b[at + lane], perLane[lane]);
    }
  }

  private static void project(float[] gradients, float[] p, int at, float[] means, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      gradients[at + lane] = p[at + lane] * (gradients[at + lane] - means[lane]);
    }
  }
}
