package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.sparse.Sites;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/** Patterns and values that the cases of the sparse families are made from. */
final class SparseSamples {
  private static final long BENCHMARK_SITES = 200_000;

  private SparseSamples() {}

  /** A case whose free size is a number of sites. */
  static OpCase sparse(
      String name, String family, Tolerance tolerance, OpCase.Preparation preparation) {
    return new OpCase(name, family, tolerance, OpCase.ODD_SIZES, BENCHMARK_SITES, preparation);
  }

  /** {@code size} sites of four matrices: one has no rows, one no sites. */
  static Sites sites(TensorScope scope, long size, double density, Random random) {
    return Sites.of(
        scope,
        pattern(size - size / 3, density, random),
        new Sites.Pattern(0, 9, new long[1], new int[0]),
        new Sites.Pattern(5, 3, new long[6], new int[0]),
        pattern(size / 3, density, random));
  }

  /** Exactly {@code size} sites, each coordinate of a square grid being as likely as any other. */
  private static Sites.Pattern pattern(long size, double density, Random random) {
    int edge = (int) Math.ceil(Math.sqrt(size / density));
    long[] rowPointers = new long[edge + 1];
    int[] columns = new int[Math.toIntExact(size)];
    int cellsLeft = Math.multiplyExact(edge, edge);
    int chosen = 0;
    for (int row = 0; row < edge; row++) {
      for (int column = 0; column < edge; column++) {
        if (chosen < columns.length && random.nextInt(cellsLeft) < columns.length - chosen) {
          columns[chosen++] = column;
        }
        cellsLeft--;
      }
      rowPointers[row + 1] = chosen;
    }
    return new Sites.Pattern(edge, edge, rowPointers, columns);
  }

  /** A real tensor of uniform values between -1 and 1 that single precision holds exactly. */
  static Tensor values(TensorScope scope, String name, Random random, long... sizes) {
    return set(scope.real(name, MemoryTag.INPUT, sizes), random, value -> value);
  }

  /** As {@link #values}, features or their gradients, rounded as the draw says. */
  static Tensor features(TensorScope scope, Draw draw, String name, Random random, long... sizes) {
    return set(scope.activation(name, sizes), random, draw::activation);
  }

  /** As {@link #values}, weights of a convolution, rounded as the draw says. */
  static Tensor weights(TensorScope scope, Draw draw, String name, Random random, long... sizes) {
    return set(scope.real(name, MemoryTag.INPUT, sizes), random, draw::weight);
  }

  private static Tensor set(Tensor tensor, Random random, DoubleUnaryOperator rounded) {
    double[] values = new double[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = rounded.applyAsDouble(random.nextFloat() * 2 - 1);
    }
    tensor.setDoubles(values);
    return tensor;
  }

  /** The gradient, or zeros in the shape of the output where there is none. */
  static Tensor given(TensorScope scope, Tensor gradient, Tensor output) {
    return gradient == null ? zeros(scope, "no gradient", output) : gradient;
  }

  static Tensor zeros(TensorScope scope, String name, Tensor like) {
    Tensor zeros = scope.create(name, like.dtype(), MemoryTag.GRADIENTS, like.shape().toArray());
    zeros.setDoubles(new double[Math.toIntExact(like.elements())]);
    return zeros;
  }
}
