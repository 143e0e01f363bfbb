package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I64;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.DropoutMask;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.ElementwiseKernels;
import autosparse.kernels.Storage;

/** One launch an operator. */
final class CudaElementwise extends ElementwiseOperators {
  private final ElementwiseKernels kernels;

  CudaElementwise(CudaContext context) {
    kernels = new ElementwiseKernels(context);
  }

  @Override
  protected void applyFill(Tensor y, double value) {
    kernels.fill(storage(y), address(y), y.elements(), (float) value);
  }

  @Override
  protected void applyCopy(Tensor x, Tensor y) {
    kernels.copy(storage(y), address(x), address(y), y.elements());
  }

  @Override
  protected void applyCast(Tensor x, Tensor y) {
    if (storage(y) == Storage.BF16) {
      kernels.narrow(address(x), address(y), y.elements());
    } else {
      kernels.widen(address(x), address(y), y.elements());
    }
  }

  @Override
  protected void applyAdd(Tensor a, Tensor b, Tensor y) {
    kernels.add(storage(y), address(a), address(b), address(y), y.elements());
  }

  @Override
  protected void applyAxpy(double alpha, Tensor x, Tensor y) {
    kernels.axpy(storage(y), (float) alpha, address(x), address(y), y.elements());
  }

  @Override
  protected void applyScale(double alpha, Tensor x, Tensor y) {
    kernels.scale(storage(y), (float) alpha, address(x), address(y), y.elements());
  }

  @Override
  protected void applyScaleGroups(Tensor x, Tensor factor, Tensor offsets, Tensor y) {
    kernels.scaleGroups(
        storage(y),
        address(x),
        factor.deviceAddress(F32),
        offsets.deviceAddress(I64),
        factor.dim(0),
        x.dim(0),
        x.shape().rowElements(),
        address(y));
  }

  @Override
  protected void applyActivation(Activation activation, Tensor x, Tensor y) {
    switch (activation) {
      case IDENTITY -> applyCopy(x, y);
      case RELU -> kernels.relu(storage(y), address(x), address(y), y.elements());
      case GELU -> kernels.gelu(storage(y), address(x), address(y), y.elements());
    }
  }

  @Override
  protected void applyActivationBackward(Activation activation, Tensor x, Tensor dy, Tensor dx) {
    long elements = dx.elements();
    long from = address(x);
    switch (activation) {
      case IDENTITY -> applyCopy(dy, dx);
      case RELU -> kernels.reluBackward(storage(dx), from, address(dy), address(dx), elements);
      case GELU -> kernels.geluBackward(storage(dx), from, address(dy), address(dx), elements);
    }
  }

  @Override
  protected void applyDropout(Tensor x, double keep, long seed, Tensor y) {
    kernels.dropout(
        storage(y),
        address(x),
        address(y),
        y.elements(),
        seed,
        (int) DropoutMask.threshold(keep),
        (float) (1 / keep));
  }

  @Override
  protected void applyCopyColumns(
      Tensor x, long xFrom, Tensor y, long yFrom, long columns, boolean accumulate) {
    kernels.copyColumns(
        storage(y),
        address(x) + xFrom * y.dtype().bytes(),
        x.dim(1),
        address(y) + yFrom * y.dtype().bytes(),
        y.dim(1),
        x.dim(0),
        columns,
        accumulate);
  }
}
