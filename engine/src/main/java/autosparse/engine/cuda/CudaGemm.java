package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.GemmKernels;

/** Products by our own kernels; linear layers are one launch, bias and ReLU included. */
final class CudaGemm extends GemmOperators {
  private final GemmKernels kernels;

  CudaGemm(CudaContext context) {
    kernels = new GemmKernels(context);
  }

  @Override
  public String provider() {
    return "our own kernels";
  }

  @Override
  protected void multiply(
      boolean transposeA,
      Tensor a,
      boolean transposeB,
      Tensor b,
      double alpha,
      double beta,
      Tensor c) {
    run(
        new GemmKernels.Product(
            transposeA,
            a.deviceAddress(F32),
            transposeB,
            b.deviceAddress(F32),
            c.dim(0),
            c.dim(1),
            a.dim(transposeA ? 0 : 1),
            (float) alpha,
            (float) beta,
            0,
            false,
            c.deviceAddress(F32)),
        c);
  }

  @Override
  protected void applyLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    run(
        new GemmKernels.Product(
            false,
            x.deviceAddress(F32),
            true,
            weight.deviceAddress(F32),
            y.dim(0),
            y.dim(1),
            x.dim(1),
            1,
            0,
            bias == null ? 0 : bias.deviceAddress(F32),
            activation == Activation.RELU,
            y.deviceAddress(F32)),
        y);
  }

  private void run(GemmKernels.Product product, Tensor c) {
    long slices = product.slices();
    if (slices == 1) {
      kernels.multiply(product, 0);
      return;
    }
    try (TensorScope scope = c.device().root().child("gemm")) {
      Tensor partial =
          scope.create(
              "partial product of each slice",
              F32,
              MemoryTag.WORKSPACE,
              slices,
              product.m(),
              product.n());
      kernels.multiply(product, partial.deviceAddress(F32));
    }
  }
}
