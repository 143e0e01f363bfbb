package autosparse.layers;

import autosparse.autograd.SparseFunctions;
import autosparse.autograd.SparseFunctions.Pool;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;

/**
 * Sparse convolution without bias, ReLU, and the global average of its output. Stride 1 keeps the
 * sites (submanifold convolution: Graham and van der Maaten, 2017). Weights are [K, C_in, C_out]
 * with row-fastest offsets.
 */
public final class SparseConv2d {
  private final ConvolutionKernel kernel;
  private final Variable weight;
  private final boolean ofOnes;

  /**
   * Makes a weight [K, in, out], which starts Kaiming normal by fan-out.
   *
   * @param in channels of the input, C_in
   * @param out channels of the output, C_out
   */
  public SparseConv2d(Parameters.Namespace names, ConvolutionKernel kernel, long in, long out) {
    this(names, kernel, in, out, false);
  }

  private SparseConv2d(
      Parameters.Namespace names, ConvolutionKernel kernel, long in, long out, boolean ofOnes) {
    this.kernel = kernel;
    this.weight = names.create("weight", Initializer.kaimingFanOut(), kernel.offsets(), in, out);
    this.ofOnes = ofOnes;
  }

  /**
   * The first layer of a tower: its input is 1 at every site and is never stored. Makes a weight
   * [K, 1, out].
   */
  public static SparseConv2d ofOnes(
      Parameters.Namespace names, ConvolutionKernel kernel, long out) {
    return new SparseConv2d(names, kernel, 1, out, true);
  }

  /** Extent, stride and dilation. */
  public ConvolutionKernel kernel() {
    return kernel;
  }

  /** As the full form, averaged over all sites. */
  public SparseFunctions.Level forward(Tape tape, PatternPyramid pyramid, int level, Variable x) {
    return forward(tape, pyramid, level, x, Pool.ALL);
  }

  /**
   * Has what the layer's products read of the weight made once, until the result is closed; see
   * {@link SparseConvolutionOperators#hold}.
   *
   * @param backward whether the layer will be run backward too
   */
  public SparseConvolutionOperators.HeldWeight hold(TensorScope scope, boolean backward) {
    return ofOnes
        ? () -> {}
        : scope.device().operators().convolution().hold(weight.value(), kernel, backward, scope);
  }

  /** Makes what the layer needs of a pyramid, if it is not there. */
  public void prepare(PatternPyramid pyramid, int level) {
    if (ofOnes) {
      pyramid.masks(kernel);
    } else {
      pyramid.map(level, kernel);
    }
  }

  /**
   * Writes the features of a layer of ones, as {@link #forward} gives them.
   *
   * @param features [N, C_out]
   */
  public void compute(PatternPyramid pyramid, Tensor features) {
    if (!ofOnes) {
      throw new IllegalStateException("a layer with an input is computed from it");
    }
    features
        .device()
        .operators()
        .convolution()
        .forwardOnes(kernel, pyramid.masks(kernel), weight.value(), true, features);
  }

  /**
   * Features on the level of the kernel's output, and their averages.
   *
   * @param level the pyramid's level that x lives on
   * @param x [N, C_in]; null for a layer of ones
   * @param pool how the output is pooled, and over which sites
   * @throws IllegalArgumentException for a layer of ones on another level than 0
   */
  public SparseFunctions.Level forward(
      Tape tape, PatternPyramid pyramid, int level, Variable x, Pool pool) {
    if (ofOnes) {
      if (level != 0) {
        throw new IllegalArgumentException(
            "a convolution of ones at level " + level + ": only level 0 is 1 at every site");
      }
      return SparseFunctions.convolutionOfOnes(
          tape, pyramid.sites(level), kernel, pyramid.masks(kernel), weight, pool);
    }
    return SparseFunctions.convolution(tape, x, weight, pyramid.map(level, kernel), pool);
  }
}
