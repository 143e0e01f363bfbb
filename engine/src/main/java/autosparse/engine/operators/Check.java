package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/** The checks of every operator family: one message form, with the values in it. */
final class Check {
  private Check() {}

  /**
   * Requires a tensor of the device's {@link autosparse.engine.Device#real} type and the given
   * shape; a negative size matches any.
   */
  static void real(String operator, String argument, Tensor tensor, long... sizes) {
    typed(operator, argument, tensor, tensor.device().real(), sizes);
  }

  /**
   * Requires a tensor of the type of activations or of the {@link autosparse.engine.Device#real}
   * type, and the given shape.
   */
  static void activation(String operator, String argument, Tensor tensor, long... sizes) {
    storage(operator, argument, tensor);
    shape(operator, argument, tensor, sizes);
  }

  /** As {@link #activation}, whatever the shape. */
  static void storage(String operator, String argument, Tensor tensor) {
    DType real = tensor.device().real();
    DType activation = tensor.device().activation();
    if (tensor.dtype() != real && tensor.dtype() != activation) {
      throw mismatch(
          operator,
          argument,
          tensor,
          real == activation ? real.toString() : real + " or " + activation);
    }
  }

  static void typed(String operator, String argument, Tensor tensor, DType dtype, long... sizes) {
    if (tensor.dtype() != dtype) {
      throw mismatch(operator, argument, tensor, dtype.toString());
    }
    shape(operator, argument, tensor, sizes);
  }

  private static void shape(String operator, String argument, Tensor tensor, long... sizes) {
    boolean fits = tensor.shape().rank() == sizes.length;
    for (int axis = 0; fits && axis < sizes.length; axis++) {
      fits = sizes[axis] < 0 || sizes[axis] == tensor.dim(axis);
    }
    if (!fits) {
      throw mismatch(
          operator, argument, tensor, "shape " + java.util.Arrays.toString(sizes) + " (-1: any)");
    }
  }

  /** Requires that two tensors have one type and one shape. */
  static void alike(String operator, String nameA, Tensor a, String nameB, Tensor b) {
    sameType(operator, nameA, a, nameB, b);
    if (!a.shape().equals(b.shape())) {
      throw new IllegalArgumentException(
          operator + ": " + nameA + " is " + a + ", " + nameB + " is " + b + ": shapes differ");
    }
  }

  static void sameType(String operator, String nameA, Tensor a, String nameB, Tensor b) {
    storage(operator, nameA, a);
    if (a.dtype() != b.dtype()) {
      throw new IllegalArgumentException(
          operator + ": " + nameA + " is " + a + ", " + nameB + " is " + b + ": expected one type");
    }
  }

  static void that(boolean holds, String operator, String message) {
    if (!holds) {
      throw new IllegalArgumentException(operator + ": " + message);
    }
  }

  private static IllegalArgumentException mismatch(
      String operator, String argument, Tensor tensor, String expected) {
    return new IllegalArgumentException(
        operator + ": " + argument + " is " + tensor + ": expected " + expected);
  }
}
