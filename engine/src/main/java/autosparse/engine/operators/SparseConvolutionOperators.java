package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;

/**
 * Sparse gather-convolution: y[o] = activation(Σ_k x[neighbour(o, k)]·weight[k]), no bias.
 *
 * <p>Features and their gradients have one type, that of activations or the real one; weights and
 * their gradients are real. With BF16 features the weights are rounded to BF16 for the products,
 * and sums are in single precision.
 */
public abstract class SparseConvolutionOperators {
  /** A weight of which something is kept that every product of it needs; see {@link #hold}. */
  @FunctionalInterface
  public interface HeldWeight extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Has what each convolution makes of a weight, rounded or turned as its products read it, made
   * once for all until the result is closed. The weight must not change meanwhile. Results are the
   * same, bit for bit.
   *
   * @param weight [K, C_in, C_out]
   * @param kernel whose weight it is
   * @param backward whether gradients by the input will be asked for too
   * @param scope that what is made is kept in; to be closed after the result
   */
  public final HeldWeight hold(
      Tensor weight, ConvolutionKernel kernel, boolean backward, TensorScope scope) {
    Check.real("hold", "weight", weight, kernel.offsets(), -1, -1);
    return applyHold(weight, kernel, backward, scope);
  }

  /**
   * Whether both gradients together take less time than one after the other. Where not, whoever
   * asks for the weight's first has its temporaries gone when the other's tensor is made.
   */
  public boolean joinsGradients() {
    return false;
  }

  /**
   * Forward.
   *
   * @param x [N_in, C_in]
   * @param weight [K, C_in, C_out]
   * @param relu whether to apply max(0, ·)
   * @param y [N_out, C_out]
   */
  public final void forward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    check("convolution", x, weight, map, y);
    applyForward(x, weight, map, relu, y);
  }

  /**
   * Both gradients, from the gradient dz by the sum before the activation.
   *
   * @param dz [N_out, C_out]
   * @param dx [N_in, C_in], written (dgrad), or null when not wanted
   * @param dWeight [K, C_in, C_out], accumulated (wgrad), or null when not wanted
   */
  public final void backward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    check("convolution backward", x, weight, map, dz);
    if (dx != null) {
      Check.alike("convolution backward", "dx", dx, "x", x);
    }
    if (dWeight != null) {
      Check.alike("convolution backward", "dWeight", dWeight, "weight", weight);
    }
    applyBackward(x, weight, map, dz, dx, dWeight);
  }

  /**
   * First layer: one input channel that is 1 at every site, so that an output is the sum of the
   * weights under its neighbourhood mask. No feature is gathered.
   *
   * @param masks I32 [N], from {@link SparsePatternOperators#neighborhoodMasks}
   * @param weight [K, 1, C_out]
   * @param y [N, C_out]
   */
  public final void forwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    checkOnes("convolution of ones", kernel, masks, weight, y);
    applyForwardOnes(kernel, masks, weight, relu, y);
  }

  /** dWeight[k] += Σ of dz over the sites whose mask has bit k. */
  public final void backwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    checkOnes("convolution of ones, backward", kernel, masks, dWeight, dz);
    applyBackwardOnes(kernel, masks, dz, dWeight);
  }

  private static void check(String operator, Tensor x, Tensor weight, NeighborMap map, Tensor y) {
    Check.activation(operator, "x", x, map.inputSites().count(), -1);
    Check.real(operator, "weight", weight, map.kernel().offsets(), x.dim(1), -1);
    Check.activation(operator, "y", y, map.outputSites().count(), weight.dim(2));
    Check.sameType(operator, "x", x, "y", y);
  }

  private static void checkOnes(
      String operator, ConvolutionKernel kernel, Tensor masks, Tensor weight, Tensor y) {
    Check.typed(operator, "masks", masks, DType.I32, -1);
    Check.real(operator, "weight", weight, kernel.offsets(), 1, -1);
    Check.activation(operator, "y", y, masks.dim(0), weight.dim(2));
  }

  protected HeldWeight applyHold(
      Tensor weight, ConvolutionKernel kernel, boolean backward, TensorScope scope) {
    return () -> {}; // nothing is made that lasts
  }

  protected abstract void applyForward(
      Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y);

  protected abstract void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight);

  protected abstract void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y);

  protected abstract void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight);
}
