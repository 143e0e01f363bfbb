package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I64;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.ReductionOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.ReductionKernels;

/** Slices of rows, by the shapes alone, whose sums are added in order. */
final class CudaReduction extends ReductionOperators {
  private final ReductionKernels kernels;

  CudaReduction(CudaContext context) {
    kernels = new ReductionKernels(context);
  }

  @Override
  protected void applyColumnSum(Tensor x, boolean accumulate, Tensor y) {
    sumColumns(0, x, x.dim(0), x.dim(1), accumulate, y);
  }

  @Override
  protected void applyReluColumnSum(Tensor output, Tensor x, boolean accumulate, Tensor y) {
    sumColumns(address(output), x, x.dim(0), x.dim(1), accumulate, y);
  }

  private void sumColumns(
      long output, Tensor x, long rows, long columns, boolean accumulate, Tensor y) {
    try (TensorScope scope = y.device().root().child("column sum")) {
      Tensor partial =
          scope.create(
              "partial sum of each slice",
              F32,
              MemoryTag.WORKSPACE,
              ReductionKernels.slices(rows),
              columns);
      kernels.columnSum(
          storage(x),
          output,
          address(x),
          rows,
          columns,
          accumulate,
          partial.deviceAddress(F32),
          y.deviceAddress(F32));
    }
  }

  @Override
  protected void applySegmentSum(Tensor x, Tensor offsets, Tensor y) {
    kernels.segmentSum(
        x.deviceAddress(F32), offsets.deviceAddress(I64), y.dim(0), x.dim(1), y.deviceAddress(F32));
  }

  @Override
  protected void applySegmentBroadcast(Tensor y, Tensor offsets, Tensor x) {
    kernels.segmentBroadcast(
        y.deviceAddress(F32),
        offsets.deviceAddress(I64),
        y.dim(0),
        x.dim(0),
        x.dim(1),
        x.deviceAddress(F32));
  }

  @Override
  protected void applySum(Tensor x, Tensor y) {
    sumColumns(0, x, x.elements(), 1, false, y);
  }
}
