package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.NormalizationOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.NormalizationKernels;

/** A warp a row; the parameters' gradients in slices of rows that are added in order. */
final class CudaNormalization extends NormalizationOperators {
  private final NormalizationKernels kernels;

  CudaNormalization(CudaContext context) {
    kernels = new NormalizationKernels(context);
  }

  @Override
  protected void applyLayerNorm(
      Tensor x,
      Tensor gamma,
      Tensor beta,
      double epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverseDeviation) {
    kernels.forward(
        storage(x),
        address(x),
        gamma.deviceAddress(F32),
        beta.deviceAddress(F32),
        (float) epsilon,
        address(y),
        mean.deviceAddress(F32),
        inverseDeviation.deviceAddress(F32),
        x.dim(0),
        Math.toIntExact(x.dim(1)));
  }

  @Override
  protected void applyLayerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverseDeviation,
      Tensor dy,
      Tensor dx,
      Tensor dGamma,
      Tensor dBeta) {
    try (TensorScope scope = dx.device().root().child("layer norm backward")) {
      Tensor partials =
          scope.create(
              "sums of each slice",
              F32,
              MemoryTag.WORKSPACE,
              NormalizationKernels.slices(x.dim(0)),
              2,
              x.dim(1));
      kernels.backward(
          storage(x),
          address(x),
          gamma.deviceAddress(F32),
          mean.deviceAddress(F32),
          inverseDeviation.deviceAddress(F32),
          address(dy),
          address(dx),
          dGamma.deviceAddress(F32),
          dBeta.deviceAddress(F32),
          partials.deviceAddress(F32),
          x.dim(0),
          Math.toIntExact(x.dim(1)));
    }
  }
}
