package autosparse.costmodel.checkpoint;

import autosparse.engine.BFloat16;
import autosparse.engine.DType;
import autosparse.engine.Shape;
import autosparse.engine.Tensor;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A named tensor to be written. Its values are asked for piece by piece, so that writing a file
 * needs no second copy of the weights.
 *
 * @param name name in the file
 * @param dtype element type
 * @param shape sizes, outermost first
 * @param elements where the values come from
 */
public record StoredTensor(String name, DType dtype, Shape shape, ElementSource elements) {
  /** Gives a tensor's values, in row-major order. */
  @FunctionalInterface
  public interface ElementSource {
    /**
     * Fills {@code target} to its limit with the elements from {@code from} on.
     *
     * @param from index of the first element
     * @param target little-endian, its remaining bytes a whole number of elements
     */
    void fill(long from, ByteBuffer target);
  }

  /** Throws {@link NullPointerException} if something is missing. */
  public StoredTensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(elements, "elements");
  }

  /** Size in bytes. */
  public long bytes() {
    return Math.multiplyExact(shape.elements(), dtype.bytes());
  }

  /** An engine tensor; it must stay open until the file is written. */
  public static StoredTensor of(String name, Tensor tensor) {
    ElementSource source =
        switch (tensor.dtype()) {
          case F32 ->
              (from, target) -> {
                float[] values = new float[target.remaining() / Float.BYTES];
                tensor.read(from, values, 0, values.length);
                target.asFloatBuffer().put(values);
              };
          case F64 ->
              (from, target) -> {
                double[] values = new double[target.remaining() / Double.BYTES];
                tensor.read(from, values, 0, values.length);
                target.asDoubleBuffer().put(values);
              };
          case BF16 ->
              (from, target) -> {
                float[] values = new float[target.remaining() / Short.BYTES];
                tensor.read(from, values, 0, values.length);
                for (float value : values) {
                  target.putShort(BFloat16.bits(value));
                }
              };
          case I32 ->
              (from, target) -> {
                int[] values = new int[target.remaining() / Integer.BYTES];
                tensor.read(from, values, 0, values.length);
                target.asIntBuffer().put(values);
              };
          case I64 ->
              (from, target) -> {
                long[] values = new long[target.remaining() / Long.BYTES];
                tensor.read(from, values, 0, values.length);
                target.asLongBuffer().put(values);
              };
        };
    return new StoredTensor(name, tensor.dtype(), tensor.shape(), source);
  }

  /** An array of floats. */
  public static StoredTensor floats(String name, Shape shape, float[] values) {
    requireLength(name, shape, values.length);
    return new StoredTensor(
        name,
        DType.F32,
        shape,
        (from, target) ->
            target.asFloatBuffer().put(values, (int) from, target.remaining() / Float.BYTES));
  }

  /** An array of doubles. */
  public static StoredTensor doubles(String name, Shape shape, double[] values) {
    requireLength(name, shape, values.length);
    return new StoredTensor(
        name,
        DType.F64,
        shape,
        (from, target) ->
            target.asDoubleBuffer().put(values, (int) from, target.remaining() / Double.BYTES));
  }

  /** An array of ints. */
  public static StoredTensor ints(String name, Shape shape, int[] values) {
    requireLength(name, shape, values.length);
    return new StoredTensor(
        name,
        DType.I32,
        shape,
        (from, target) ->
            target.asIntBuffer().put(values, (int) from, target.remaining() / Integer.BYTES));
  }

  /** An array of longs. */
  public static StoredTensor longs(String name, Shape shape, long[] values) {
    requireLength(name, shape, values.length);
    return new StoredTensor(
        name,
        DType.I64,
        shape,
        (from, target) ->
            target.asLongBuffer().put(values, (int) from, target.remaining() / Long.BYTES));
  }

  private static void requireLength(String name, Shape shape, int length) {
    if (shape.elements() != length) {
      throw new IllegalArgumentException(
          "tensor '" + name + "' of shape " + shape + " from " + length + " values");
    }
  }
}
