package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import autosparse.kernels.Cublas;
import autosparse.kernels.CudaContext;
import autosparse.kernels.GemmKernels;

/**
 * Plain products by cuBLAS where it loads, by our own kernels otherwise; linear layers with a bias
 * or ReLU always by our own, which need no second pass for them.
 */
final class CudaGemm extends GemmOperators implements AutoCloseable {
  private final GemmKernels kernels;
  private final Cublas.Attempt attempt;

  CudaGemm(CudaContext context) {
    this(context, Cublas.load(context));
  }

  CudaGemm(CudaContext context, Cublas.Attempt attempt) {
    kernels = new GemmKernels(context);
    this.attempt = attempt;
  }

  @Override
  public String provider() {
    return attempt
        .cublas()
        .map(Cublas::version)
        .orElseGet(() -> "our own kernels (" + attempt.reason() + ")");
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
    if (attempt.cublas().isPresent() && Cublas.takes(product)) {
      attempt.cublas().get().multiply(product);
      return;
    }
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

  @Override
  public void close() {
    attempt.cublas().ifPresent(Cublas::close);
  }
}
