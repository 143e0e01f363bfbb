package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;

/** Takes the temporaries that {@link CpuSparseConvolution} takes, in its order, and no more. */
final class PlannedConvolution extends SparseConvolutionOperators {
  @Override
  public boolean joinsGradients() {
    return true;
  }

  @Override
  protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    if (y.elements() == 0 || weight.dim(1) == 0) {
      return;
    }
    try (TensorScope scope = y.device().root().child("convolution")) {
      ConvolutionWorkspace.orderedWeights(scope, weight);
    }
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    long sites = x.dim(0);
    if (weight.elements() == 0 || sites == 0) {
      return;
    }
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    try (TensorScope scope = dz.device().root().child("convolution backward")) {
      if (dx != null) {
        ConvolutionWorkspace.turnedWeights(scope, weight);
      }
      if (dWeight != null) {
        ConvolutionWorkspace.partials(scope, sites, fanIn, map.kernel().offsets() * fanOut);
      }
    }
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    if (y.elements() == 0) {
      return;
    }
    int fanOut = Math.toIntExact(y.dim(1));
    try (TensorScope scope = y.device().root().child("convolution of ones")) {
      ConvolutionWorkspace.paddedWeights(scope, OnesConvolution.width(kernel), fanOut);
    }
  }

  @Override
  protected void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    if (dz.elements() == 0) {
      return;
    }
    int fanOut = Math.toIntExact(dz.dim(1));
    try (TensorScope scope = dz.device().root().child("convolution of ones, backward")) {
      ConvolutionWorkspace.partials(scope, dz.dim(0), OnesConvolution.width(kernel), fanOut);
    }
  }
}
