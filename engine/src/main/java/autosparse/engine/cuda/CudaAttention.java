package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I64;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.requireAligned;
import static autosparse.engine.cuda.Activations.storage;

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

  /**
   * The call's sizes.
   *
   * @throws IllegalArgumentException when a tensor starts where heads cannot be read in 16 bytes
   */
  private static Shape shape(Tensor offsets, int heads, Tensor out, Tensor... others) {
    long head = out.dim(1) / heads;
    int pack = 16 / out.dtype().bytes();
    requireAligned(out, head, pack);
    for (Tensor tensor : others) {
      requireAligned(tensor, head, pack);
    }
    return new Shape(offsets.dim(0) - 1, out.dim(0), heads, Math.toIntExact(out.dim(1)));
  }

  @Override
  protected void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    kernels.forward(
        storage(qkv),
        shape(offsets, heads, out, qkv),
        address(qkv),
        offsets.deviceAddress(I64),
        address(out),
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
        storage(qkv),
        shape(offsets, heads, out, qkv, dOut, dQkv),
        address(qkv),
        offsets.deviceAddress(I64),
        address(out),
        logSumExp.deviceAddress(F32),
        address(dOut),
        address(dQkv));
  }
}
