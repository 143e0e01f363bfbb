package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.DropoutMask;
import java.util.Arrays;

/**
 * Inputs of operator cases: a fixed sequence of draws from (seed, number of the draw), rounded to
 * float, so that every device gets the same values.
 */
public final class Values {
  private final TensorScope scope;
  private final Draw draw;
  private long stream;

  public Values(TensorScope scope, Draw draw) {
    this.scope = scope;
    this.draw = draw;
    this.stream = DropoutMask.hash(draw.seed(), 0);
  }

  /** One value in [0, 1) from a stream of 53-bit numbers. */
  private static double unit(long stream, long element) {
    return (DropoutMask.hash(stream, element) >>> 11) * 0x1p-53;
  }

  private long nextStream() {
    stream = DropoutMask.hash(stream, 1);
    return stream;
  }

  /** Uniform values in [low, high), rounded to float. */
  public double[] uniform(long count, double low, double high) {
    long draw = nextStream();
    double[] values = new double[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (low + (high - low) * unit(draw, i));
    }
    return values;
  }

  /** Values of either sign whose magnitude is in [low, high): for functions with a kink at 0. */
  public double[] awayFromZero(long count, double low, double high) {
    double[] magnitudes = uniform(count, low, high);
    long draw = nextStream();
    for (int i = 0; i < magnitudes.length; i++) {
      magnitudes[i] *= unit(draw, i) < 0.5 ? -1 : 1;
    }
    return magnitudes;
  }

  /** The numbers 0 to count − 1 in random order. */
  public int[] permutation(int count) {
    long draw = nextStream();
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int j = (int) (unit(draw, i) * (i + 1));
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** Integers in [0, bound). */
  public int[] indices(long count, int bound) {
    long draw = nextStream();
    int[] values = new int[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (int) (unit(draw, i) * bound);
    }
    return values;
  }

  /** A real tensor of uniform values in [−1, 1). */
  public Tensor real(String name, long... sizes) {
    return between(name, -1, 1, sizes);
  }

  /**
   * A real tensor of uniform values in [low, high). Its name differs from {@link #real}, where the
   * bounds would pass for sizes.
   */
  public Tensor between(String name, double low, double high, long... sizes) {
    Tensor tensor = output(name, sizes);
    tensor.setDoubles(uniform(tensor.elements(), low, high));
    return tensor;
  }

  /** An activation of uniform values in [−1, 1). */
  public Tensor activation(String name, long... sizes) {
    return activationBetween(name, -1, 1, sizes);
  }

  /** An activation of uniform values in [low, high). */
  public Tensor activationBetween(String name, double low, double high, long... sizes) {
    Tensor tensor = scope.activation(name, sizes);
    setActivation(tensor, uniform(tensor.elements(), low, high));
    return tensor;
  }

  /** Sets an activation, rounded as the draw says. */
  public void setActivation(Tensor tensor, double[] values) {
    tensor.setDoubles(Arrays.stream(values).map(draw::activation).toArray());
  }

  /** A real tensor of uniform values in [−1, 1) that is a factor of products. */
  public Tensor weight(String name, long... sizes) {
    Tensor tensor = output(name, sizes);
    setWeight(tensor, uniform(tensor.elements(), -1, 1));
    return tensor;
  }

  /** Sets a weight, rounded as the draw says. */
  public void setWeight(Tensor tensor, double[] values) {
    tensor.setDoubles(Arrays.stream(values).map(draw::weight).toArray());
  }

  /** An activation without contents. */
  public Tensor activationOutput(String name, long... sizes) {
    return scope.activation(name, sizes);
  }

  /** A real tensor without contents. */
  public Tensor output(String name, long... sizes) {
    return scope.real(name, MemoryTag.ACTIVATION, sizes);
  }

  /** Real values given one by one. */
  public Tensor reals(String name, double[] values) {
    return scope.reals(name, MemoryTag.ACTIVATION, values);
  }

  public Tensor ints(String name, int[] values) {
    return scope.ints(name, MemoryTag.INPUT, values);
  }

  public Tensor longs(String name, long... values) {
    return scope.longs(name, MemoryTag.INPUT, values);
  }

  /**
   * Offsets of segments that cover {@code total} rows, with these lengths over and over; the last
   * one is cut short.
   */
  public static long[] segments(long total, int... lengths) {
    java.util.ArrayList<Long> offsets = new java.util.ArrayList<>();
    offsets.add(0L);
    long end = 0;
    for (int s = 0; end < total; s++) {
      end = Math.min(total, end + lengths[s % lengths.length]);
      offsets.add(end);
    }
    return offsets.stream().mapToLong(Long::longValue).toArray();
  }
}
