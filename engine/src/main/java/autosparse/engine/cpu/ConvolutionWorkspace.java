package autosparse.engine.cpu;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;

/** The temporaries of the CPU's convolutions: made here alone, so that a plan makes the same. */
final class ConvolutionWorkspace {
  private ConvolutionWorkspace() {}

  /** Weights in the order of gathered rows, as many as the weights. */
  static Tensor orderedWeights(TensorScope scope, Tensor weight) {
    return scope.workspaceLike(weight);
  }

  /** Weights as dgrad multiplies by them, as many as the weights. */
  static Tensor turnedWeights(TensorScope scope, Tensor weight) {
    return scope.create(
        "turned weights", weight.dtype(), MemoryTag.WORKSPACE, weight.shape().toArray());
  }

  /** [slices, rows, columns] of a {@link SlicedSum}. */
  static Tensor partials(TensorScope scope, long sites, int rows, int columns) {
    return scope.create(
        "partial sum of each slice",
        DType.F32,
        MemoryTag.WORKSPACE,
        SlicedSum.slices(sites),
        rows,
        columns);
  }

  /** [width, fanOut]: the weights of a convolution of ones, filled up with zeros. */
  static Tensor paddedWeights(TensorScope scope, int width, int fanOut) {
    return scope.create("padded weights", DType.F32, MemoryTag.WORKSPACE, width, fanOut);
  }
}
