package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.F64;
import static autosparse.engine.DType.I64;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.PoolingOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.PoolingKernels;

/** Pools over fixed slices of each matrix; the gradient is elementwise. */
final class CudaPooling extends PoolingOperators {
  private final PoolingKernels kernels;

  CudaPooling(CudaContext context) {
    kernels = new PoolingKernels(context);
  }

  @Override
  protected void applyPool(Tensor x, Tensor offsets, boolean averaged, Tensor y) {
    long matrices = y.dim(0);
    int channels = Math.toIntExact(x.dim(1));
    int slices = PoolingKernels.slices(x.dim(0), matrices);
    try (TensorScope work = x.device().root().child("pool")) {
      Tensor partials =
          work.create(
              "partial sum of each slice", F64, MemoryTag.WORKSPACE, matrices, slices, channels);
      kernels.pool(
          storage(x),
          address(x),
          offsets.deviceAddress(I64),
          matrices,
          slices,
          channels,
          averaged,
          partials.deviceAddress(F64),
          y.deviceAddress(averaged ? F32 : F64));
    }
  }

  @Override
  protected void applyAverageOfSum(Tensor sum, Tensor sites, Tensor y) {
    kernels.averageOfSum(
        sum.deviceAddress(F64),
        sites.deviceAddress(I64),
        y.dim(0),
        Math.toIntExact(y.dim(1)),
        y.deviceAddress(F32));
  }

  @Override
  protected void applyReluPoolBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, boolean averaged, Tensor dz) {
    kernels.reluPoolBackward(
        storage(y),
        address(y),
        dNext == null ? 0 : address(dNext),
        dPooled.deviceAddress(F32),
        offsets.deviceAddress(I64),
        y.dim(0),
        Math.toIntExact(dPooled.dim(0)),
        Math.toIntExact(y.dim(1)),
        averaged,
        address(dz));
  }
}
