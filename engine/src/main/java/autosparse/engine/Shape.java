package autosparse.engine;

import java.util.Arrays;

/** Sizes of a tensor's dimensions, outermost first; row-major, contiguous, 64-bit. */
public final class Shape {
  private final long[] sizes;
  private final long elements;

  private Shape(long[] sizes) {
    long product = 1;
    for (long size : sizes) {
      if (size < 0) {
        throw new IllegalArgumentException("shape " + Arrays.toString(sizes) + ": negative size");
      }
      try {
        product = Math.multiplyExact(product, size);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "shape " + Arrays.toString(sizes) + ": more than 2^63 elements", e);
      }
    }
    this.sizes = sizes;
    this.elements = product;
  }

  /** Shape of the given sizes; no sizes make a scalar of one element. */
  public static Shape of(long... sizes) {
    return new Shape(sizes.clone());
  }

  /** Number of dimensions; 0 for a scalar. */
  public int rank() {
    return sizes.length;
  }

  /** Size of dimension {@code axis}; negative axes count from the innermost (-1). */
  public long dim(int axis) {
    return sizes[axis < 0 ? sizes.length + axis : axis];
  }

  /** Product of the sizes; 1 for a scalar. */
  public long elements() {
    return elements;
  }

  /** Elements of one index of the outermost dimension (a row); 1 for a scalar. */
  public long rowElements() {
    long product = 1;
    for (int axis = 1; axis < sizes.length; axis++) {
      product *= sizes[axis];
    }
    return product;
  }

  /** The sizes, outermost first. */
  public long[] toArray() {
    return sizes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  @Override
  public String toString() {
    return Arrays.toString(sizes);
  }
}
