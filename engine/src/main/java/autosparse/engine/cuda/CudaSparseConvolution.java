package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I32;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.kernels.CudaContext;
import autosparse.kernels.SparseConvolutionKernels;

/**
 * Forward and the gradient by the input are one implicit GEMM over the outputs of a map; the
 * gradient by the weights sums fixed slices of the outputs.
 */
final class CudaSparseConvolution extends SparseConvolutionOperators {
  private final SparseConvolutionKernels kernels;

  CudaSparseConvolution(CudaContext context) {
    kernels = new SparseConvolutionKernels(context);
  }

  private static SparseConvolutionKernels.Map addresses(NeighborMap map) {
    return new SparseConvolutionKernels.Map(
        map.pointers().deviceAddress(I64),
        map.masks().deviceAddress(I32),
        map.inputs().deviceAddress(I32),
        map.order() == null ? 0 : map.order().deviceAddress(I32),
        map.outputSites().count(),
        map.kernel().offsets());
  }

  @Override
  protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    kernels.convolve(
        x.deviceAddress(F32),
        weight.deviceAddress(F32),
        addresses(map),
        channels(weight, 1),
        channels(weight, 2),
        relu,
        y.deviceAddress(F32));
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    if (dx != null) {
      inputGradient(weight, map, dz, dx);
    }
    if (dWeight != null) {
      weightGradient(x, map, dz, dWeight);
    }
  }

  /** A convolution of dz with the turned weights over the map's opposite direction. */
  private void inputGradient(Tensor weight, NeighborMap map, Tensor dz, Tensor dx) {
    ConvolutionKernel kernel = map.kernel();
    int fanIn = channels(weight, 1);
    int fanOut = channels(weight, 2);
    try (TensorScope work = dx.device().root().child("convolution backward")) {
      long turned =
          work.create("turned weights", F32, MemoryTag.WORKSPACE, weight.elements())
              .deviceAddress(F32);
      kernels.turnWeights(
          weight.deviceAddress(F32),
          kernel.offsets(),
          fanIn,
          fanOut,
          kernel.isSubmanifold(),
          turned);
      kernels.convolve(
          dz.deviceAddress(F32),
          turned,
          addresses(kernel.isSubmanifold() ? map : map.transposed()),
          fanOut,
          fanIn,
          false,
          dx.deviceAddress(F32));
    }
  }

  private void weightGradient(Tensor x, NeighborMap map, Tensor dz, Tensor dWeight) {
    int offsets = map.kernel().offsets();
    int fanIn = channels(dWeight, 1);
    int fanOut = channels(dWeight, 2);
    int slices = SparseConvolutionKernels.slices(dz.dim(0), offsets, fanIn, fanOut);
    try (TensorScope work = dz.device().root().child("convolution backward")) {
      long partials = partials(slices, dWeight, work);
      kernels.weightGradient(
          x.deviceAddress(F32),
          dz.deviceAddress(F32),
          addresses(map),
          fanIn,
          fanOut,
          slices,
          partials);
      kernels.sumPartials(partials, slices, dWeight.elements(), dWeight.deviceAddress(F32));
    }
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    kernels.onesForward(
        masks.deviceAddress(I32),
        weight.deviceAddress(F32),
        masks.dim(0),
        kernel.offsets(),
        channels(weight, 2),
        relu,
        y.deviceAddress(F32));
  }

  @Override
  protected void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    int slices = SparseConvolutionKernels.onesSlices(masks.dim(0));
    try (TensorScope work = dz.device().root().child("convolution of ones, backward")) {
      long partials = partials(slices, dWeight, work);
      kernels.onesBackward(
          masks.deviceAddress(I32),
          dz.deviceAddress(F32),
          masks.dim(0),
          kernel.offsets(),
          channels(dWeight, 2),
          slices,
          partials);
      kernels.sumPartials(partials, slices, dWeight.elements(), dWeight.deviceAddress(F32));
    }
  }

  private static long partials(int slices, Tensor total, TensorScope work) {
    return work.create(
            "partial sum of each slice", F32, MemoryTag.WORKSPACE, slices, total.elements())
        .deviceAddress(F32);
  }

  private static int channels(Tensor weight, int axis) {
    return Math.toIntExact(weight.dim(axis));
  }
}
