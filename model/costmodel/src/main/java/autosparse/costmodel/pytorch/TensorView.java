package autosparse.costmodel.pytorch;

/**
 * A float tensor as a state dict describes it: a view of a storage, element (i₀, i₁, …) at {@code
 * offset + Σ iₐ·strideₐ}.
 *
 * @param storage key of the storage in the archive
 * @param storageElements elements of that storage
 * @param offset index of the first element
 * @param shape sizes, outermost first
 * @param stride steps in elements, one a size
 */
public record TensorView(
    String storage, long storageElements, long offset, long[] shape, long[] stride) {
  /** Number of elements. */
  public long elements() {
    long elements = 1;
    for (long size : shape) {
      elements = Math.multiplyExact(elements, size);
    }
    return elements;
  }

  /** Whether every element lies in the storage. */
  boolean isInside() {
    if (offset < 0 || storageElements < 0 || shape.length != stride.length) {
      return false;
    }
    try {
      long last = offset;
      for (int axis = 0; axis < shape.length; axis++) {
        if (shape[axis] < 1 || stride[axis] < 0) {
          return false;
        }
        last = Math.addExact(last, Math.multiplyExact(shape[axis] - 1, stride[axis]));
      }
      return last < storageElements && elements() >= 1;
    } catch (ArithmeticException tooLarge) {
      return false;
    }
  }

  /** The elements in row-major order. */
  float[] gather(float[] values) {
    float[] gathered = new float[Math.toIntExact(elements())];
    long[] index = new long[shape.length];
    long at = offset;
    for (int n = 0; n < gathered.length; n++) {
      gathered[n] = values[Math.toIntExact(at)];
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        at += stride[axis];
        if (++index[axis] < shape[axis]) {
          break;
        }
        at -= index[axis] * stride[axis];
        index[axis] = 0;
      }
    }
    return gathered;
  }
}
