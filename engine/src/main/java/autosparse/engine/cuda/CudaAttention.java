package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.operators.AttentionOperators;
import autosparse.kernels.AttentionKernels;
import autosparse.kernels.AttentionKernels.Shape;
import autosparse.kernels.CudaContext;

/** One launch an operator; the sequences' lengths are read on the device. */
final class CudaAttention extends AttentionOperators {
  private final AttentionKernels kernels;

  CudaAttention(CudaContext context) {
    kernels = new AttentionKernels(context);
  }

  private static Shape shape(Tensor offsets, int heads, Tensor out) {
    return new Shape(offsets.dim(0) - 1, out.dim(0), heads, Math.toIntExact(out.dim(1)));
  }

  @Override
  protected void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    kernels.forward(
        shape(offsets, heads, out),
        qkv.deviceAddress(F32),
        offsets.deviceAddress(I64),
        out.deviceAddress(F32),
        logSumExp.deviceAddress(F32));
  }

  @Override
  protected void applyAttentionBackward(
      Tensor qkv,
      Tensor offsets,
      int heads,
      Tensor out,
      Tensor logSumExp,
      Tensor dOut,
      Tensor dQkv) {
    kernels.backward(
        shape(offsets, heads, out),
        qkv.deviceAddress(F32),
        offsets.deviceAddress(I64),
        out.deviceAddress(F32),
        logSumExp.deviceAddress(F32),
        dOut.deviceAddress(F32),
        dQkv.deviceAddress(F32));
  }
}
