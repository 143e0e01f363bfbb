package autosparse.engine.cuda;

import static autosparse.engine.DType.BF16;
import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I32;
import static autosparse.engine.DType.I64;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.requireAligned;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.kernels.CudaContext;
import autosparse.kernels.OnesConvolutionKernels;
import autosparse.kernels.SparseConvolutionKernels;
import autosparse.kernels.SparseGradientKernels;
import autosparse.kernels.Storage;
import autosparse.kernels.TensorConvolutionKernels;
import java.util.HashMap;
import java.util.Map;

/**
 * Forward and the gradient by the input are one implicit GEMM over the outputs of a map; the
 * gradient by the weights sums fixed slices of the outputs. Which kernels do it depends on the
 * features' type and, for float, on the device's precision.
 */
final class CudaSparseConvolution extends SparseConvolutionOperators {
  private final SparseConvolutionKernels kernels;

  /** Kernels for tensor cores; null on a device that computes in float. */
  private final TensorCores tensorCores;

  /**
   * What products of a weight read.
   *
   * @param type of the features that they are for
   * @param staged of the forward pass; null where that reads the weight itself
   * @param turned of the gradient by the input; null where none will be asked for
   */
  private record Held(Storage type, Tensor staged, Tensor turned) {}

  private final Map<Tensor, Held> held = new HashMap<>();

  private record TensorCores(
      TensorConvolutionKernels convolution,
      SparseGradientKernels gradient,
      OnesConvolutionKernels ones) {
    static TensorCores of(CudaContext context) {
      return new TensorCores(
          new TensorConvolutionKernels(context),
          new SparseGradientKernels(context),
          new OnesConvolutionKernels(context));
    }
  }

  CudaSparseConvolution(CudaContext context, Precision precision) {
    kernels = new SparseConvolutionKernels(context);
    tensorCores = precision == Precision.FP32 ? null : TensorCores.of(context);
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
    int fanIn = channels(weight, 1);
    int fanOut = channels(weight, 2);
    if (tensorCores == null) {
      kernels.convolve(
          x.deviceAddress(F32),
          weight.deviceAddress(F32),
          addresses(map),
          fanIn,
          fanOut,
          relu,
          y.deviceAddress(F32));
      return;
    }
    requireAligned(x, fanIn, storage(x).pack());
    requireAligned(y, fanOut, storage(x).pack());
    Held known = held(storage(x), weight);
    try (TensorScope work = y.device().root().child("convolution")) {
      Tensor staged = known == null ? staged(storage(x), weight, work) : known.staged;
      tensorCores.convolution.convolve(
          storage(x),
          address(x),
          staged.deviceAddress(F32),
          addresses(map),
          map.pairs(),
          fanIn,
          fanOut,
          relu,
          address(y));
    }
  }

  @Override
  protected HeldWeight applyHold(
      Tensor weight, ConvolutionKernel kernel, boolean backward, TensorScope scope) {
    if (held.containsKey(weight)) {
      throw new IllegalStateException(weight + " is held already");
    }
    Storage type = scope.device().activation() == BF16 ? Storage.BF16 : Storage.F32;
    Tensor staged = tensorCores == null ? null : staged(type, weight, scope);
    Tensor turned = backward ? turned(type, weight, kernel, scope) : null;
    held.put(weight, new Held(type, staged, turned));
    return () -> held.remove(weight);
  }

  private Held held(Storage type, Tensor weight) {
    Held known = held.get(weight);
    return known == null || known.type != type ? null : known;
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    try (TensorScope work = dz.device().root().child("convolution backward")) {
      if (dx != null) {
        inputGradient(weight, map, dz, dx, work);
      }
      if (dWeight != null) {
        weightGradient(x, map, dz, dWeight, work);
      }
    }
  }

  /** A convolution of dz with the turned weights over the map's opposite direction. */
  private void inputGradient(
      Tensor weight, NeighborMap map, Tensor dz, Tensor dx, TensorScope work) {
    ConvolutionKernel kernel = map.kernel();
    NeighborMap opposite = kernel.isSubmanifold() ? map : map.transposed();
    int fanIn = channels(weight, 1);
    int fanOut = channels(weight, 2);
    Held known = held(storage(dz), weight);
    Tensor turned =
        known == null || known.turned == null
            ? turned(storage(dz), weight, kernel, work)
            : known.turned;
    if (tensorCores != null) {
      requireAligned(dz, fanOut, storage(dz).pack());
      requireAligned(dx, fanIn, storage(dz).pack());
      tensorCores.convolution.convolve(
          storage(dz),
          address(dz),
          turned.deviceAddress(F32),
          addresses(opposite),
          opposite.pairs(),
          fanOut,
          fanIn,
          false,
          address(dx));
      return;
    }
    kernels.convolve(
        dz.deviceAddress(F32),
        turned.deviceAddress(F32),
        addresses(opposite),
        fanOut,
        fanIn,
        false,
        dx.deviceAddress(F32));
  }

  private void weightGradient(
      Tensor x, NeighborMap map, Tensor dz, Tensor dWeight, TensorScope work) {
    int offsets = map.kernel().offsets();
    int fanIn = channels(dWeight, 1);
    int fanOut = channels(dWeight, 2);
    int slices;
    long partials;
    if (storage(dz) == Storage.BF16) {
      slices = tensorCores.gradient.slices(dz.dim(0), offsets, fanIn, fanOut);
      partials = partials(slices, dWeight, work);
      tensorCores.gradient.weightGradient(
          address(x), address(dz), addresses(map), fanIn, fanOut, slices, partials);
    } else {
      slices = SparseConvolutionKernels.slices(dz.dim(0), offsets, fanIn, fanOut);
      partials = partials(slices, dWeight, work);
      kernels.weightGradient(
          x.deviceAddress(F32),
          dz.deviceAddress(F32),
          addresses(map),
          fanIn,
          fanOut,
          slices,
          partials);
    }
    kernels.sumPartials(partials, slices, dWeight.elements(), dWeight.deviceAddress(F32));
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    if (storage(y) == Storage.BF16) {
      tensorCores.ones.forward(
          masks.deviceAddress(I32),
          weight.deviceAddress(F32),
          masks.dim(0),
          kernel.offsets(),
          channels(weight, 2),
          relu,
          address(y));
      return;
    }
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
    boolean narrow = storage(dz) == Storage.BF16;
    long sites = masks.dim(0);
    int slices =
        narrow ? OnesConvolutionKernels.slices(sites) : SparseConvolutionKernels.onesSlices(sites);
    try (TensorScope work = dz.device().root().child("convolution of ones, backward")) {
      long partials = partials(slices, dWeight, work);
      if (narrow) {
        tensorCores.ones.backward(
            masks.deviceAddress(I32),
            address(dz),
            sites,
            kernel.offsets(),
            channels(dWeight, 2),
            slices,
            partials);
      } else {
        kernels.onesBackward(
            masks.deviceAddress(I32),
            dz.deviceAddress(F32),
            sites,
            kernel.offsets(),
            channels(dWeight, 2),
            slices,
            partials);
      }
      kernels.sumPartials(partials, slices, dWeight.elements(), dWeight.deviceAddress(F32));
    }
  }

  /** The weights as kernels for tensor cores read them forward. */
  private Tensor staged(Storage type, Tensor weight, TensorScope scope) {
    int offsets = Math.toIntExact(weight.dim(0));
    int fanIn = channels(weight, 1);
    int fanOut = channels(weight, 2);
    long bytes = tensorCores.convolution.stagedBytes(type, offsets, fanIn, fanOut);
    Tensor staged = words("rounded weights", bytes, scope);
    tensorCores.convolution.stageWeights(
        type, weight.deviceAddress(F32), offsets, fanIn, fanOut, staged.deviceAddress(F32));
    return staged;
  }

  /** The weights as the gradient by the input reads them. */
  private Tensor turned(Storage type, Tensor weight, ConvolutionKernel kernel, TensorScope scope) {
    int fanIn = channels(weight, 1);
    int fanOut = channels(weight, 2);
    boolean mirrored = kernel.isSubmanifold();
    if (tensorCores == null) {
      Tensor turned = words("turned weights", weight.bytes(), scope);
      kernels.turnWeights(
          weight.deviceAddress(F32),
          kernel.offsets(),
          fanIn,
          fanOut,
          mirrored,
          turned.deviceAddress(F32));
      return turned;
    }
    long bytes = tensorCores.convolution.stagedBytes(type, kernel.offsets(), fanOut, fanIn);
    Tensor turned = words("rounded weights", bytes, scope);
    tensorCores.convolution.stageTurnedWeights(
        type,
        weight.deviceAddress(F32),
        kernel.offsets(),
        fanIn,
        fanOut,
        mirrored,
        turned.deviceAddress(F32));
    return turned;
  }

  private static Tensor words(String name, long bytes, TensorScope scope) {
    long words = (bytes + Float.BYTES - 1) / Float.BYTES;
    return scope.create(name, F32, MemoryTag.WORKSPACE, words);
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
