package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.DropoutMask;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.ElementwiseKernels;

/** One launch an operator. */
final class CudaElementwise extends ElementwiseOperators {
  private final ElementwiseKernels kernels;

  CudaElementwise(CudaContext context) {
    kernels = new ElementwiseKernels(context);
  }

  @Override
  protected void applyFill(Tensor y, double value) {
    kernels.fill(y.deviceAddress(F32), y.elements(), (float) value);
  }

  @Override
  protected void applyCopy(Tensor x, Tensor y) {
    kernels.copy(x.deviceAddress(F32), y.deviceAddress(F32), y.elements());
  }

  @Override
  protected void applyAdd(Tensor a, Tensor b, Tensor y) {
    kernels.add(a.deviceAddress(F32), b.deviceAddress(F32), y.deviceAddress(F32), y.elements());
  }

  @Override
  protected void applyAxpy(double alpha, Tensor x, Tensor y) {
    kernels.axpy((float) alpha, x.deviceAddress(F32), y.deviceAddress(F32), y.elements());
  }

  @Override
  protected void applyScale(double alpha, Tensor x, Tensor y) {
    kernels.scale((float) alpha, x.deviceAddress(F32), y.deviceAddress(F32), y.elements());
  }

  @Override
  protected void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {
    kernels.scaleGroups(
        x.deviceAddress(F32),
        factor.deviceAddress(F32),
        offsets.deviceAddress(I64),
        factor.dim(0),
        x.dim(0),
        x.shape().rowElements(),
        y.deviceAddress(F32));
  }

  @Override
  protected void applyActivation(Activation activation, Tensor x, Tensor y) {
    switch (activation) {
      case IDENTITY -> applyCopy(x, y);
      case RELU -> kernels.relu(x.deviceAddress(F32), y.deviceAddress(F32), y.elements());
      case GELU -> kernels.gelu(x.deviceAddress(F32), y.deviceAddress(F32), y.elements());
    }
  }

  @Override
  protected void applyActivationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {
    long elements = dx.elements();
    long from = x.deviceAddress(F32);
    switch (activation) {
      case IDENTITY -> applyCopy(dy, dx);
      case RELU ->
          kernels.reluBackward(from, dy.deviceAddress(F32), dx.deviceAddress(F32), elements);
      case GELU ->
          kernels.geluBackward(from, dy.deviceAddress(F32), dx.deviceAddress(F32), elements);
    }
  }

  @Override
  protected void applyDropout(Tensor x, double keep, long seed, Tensor y) {
    kernels.dropout(
        x.deviceAddress(F32),
        y.deviceAddress(F32),
        y.elements(),
        seed,
        (int) DropoutMask.threshold(keep),
        (float) (1 / keep));
  }

  @Override
  protected void applyCopyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {
    kernels.copyColumns(
        x.deviceAddress(F32) + xFrom * Float.BYTES,
        x.dim(1),
        y.deviceAddress(F32) + yFrom * Float.BYTES,
        y.dim(1),
        x.dim(0),
        columns,
        accumulate);
  }
}
