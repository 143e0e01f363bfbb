package autosparse.engine.cuda;

import static autosparse.engine.DType.BF16;
import static autosparse.engine.DType.F32;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import autosparse.kernels.Cublas;
import autosparse.kernels.CudaContext;
import autosparse.kernels.ElementwiseKernels;
import autosparse.kernels.GemmKernels;
import autosparse.kernels.Storage;
import autosparse.kernels.TensorGemmKernels;

/**
 * Products by cuBLAS where it loads, by our own kernels otherwise. A bias and a ReLU take a pass of
 * their own after cuBLAS, so small linear layers are left to our kernels, which do it all in one.
 * Products with a bfloat16 factor are products of bfloat16; those of floats are in float, or in
 * tf32 where the device's precision has tensor cores for them.
 */
final class CudaGemm extends GemmOperators implements AutoCloseable {
  /**
   * Least K, and least multiply-adds, of a linear layer for which cuBLAS saves more than the pass
   * costs.
   */
  private static final long LIBRARY_DEPTH = 128;

  private static final long LIBRARY_PRODUCTS = 1L << 27;

  private final GemmKernels kernels;
  private final ElementwiseKernels elementwise;

  /** Null where products are in float. */
  private final TensorGemmKernels tensorKernels;

  private final Cublas.Arithmetic arithmetic;
  private final Cublas.Attempt attempt;

  CudaGemm(CudaContext context, Precision precision, Cublas.Attempt attempt) {
    boolean tensorCores = precision != Precision.FP32;
    kernels = new GemmKernels(context);
    elementwise = new ElementwiseKernels(context);
    tensorKernels = tensorCores ? new TensorGemmKernels(context) : null;
    arithmetic = tensorCores ? Cublas.Arithmetic.TF32 : Cublas.Arithmetic.FP32;
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
    try (Staging staging = new Staging(c, a, b)) {
      run(
          staging,
          new GemmKernels.Product(
              transposeA,
              address(staging.factor(a)),
              transposeB,
              address(staging.factor(b)),
              c.dim(0),
              c.dim(1),
              a.dim(transposeA ? 0 : 1),
              (float) alpha,
              (float) beta,
              0,
              false,
              address(c)),
          storage(c));
    }
  }

  @Override
  protected void applyLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    try (Staging staging = new Staging(y, x, weight)) {
      run(
          staging,
          new GemmKernels.Product(
              false,
              address(staging.factor(x)),
              true,
              address(staging.factor(weight)),
              y.dim(0),
              y.dim(1),
              x.dim(1),
              1,
              0,
              bias == null ? 0 : bias.deviceAddress(F32),
              activation == Activation.RELU,
              address(y)),
          storage(y));
    }
  }

  private void run(Staging staging, GemmKernels.Product product, Storage result) {
    Storage factors = staging.factors;
    if (attempt.cublas().isPresent() && isForLibrary(factors, product, result)) {
      attempt.cublas().get().multiply(arithmetic, factors, product.plain(), result);
      finish(product, result);
    } else if (tensorKernels == null) {
      kernels.multiply(product, staging.partial(product.slices(), product));
    } else {
      long partial = staging.partial(TensorGemmKernels.slices(product), product);
      tensorKernels.multiply(factors, product, result, partial);
    }
  }

  private static boolean isForLibrary(
      Storage factors, GemmKernels.Product product, Storage result) {
    GemmKernels.Product plain = product.plain();
    boolean large =
        product.k() >= LIBRARY_DEPTH
            && (double) product.m() * product.n() * product.k() >= LIBRARY_PRODUCTS;
    return Cublas.takes(factors, plain, result) && (large || product.equals(plain));
  }

  /** What cuBLAS leaves out: in place, so that C in bfloat16 is rounded before and after. */
  private void finish(GemmKernels.Product product, Storage result) {
    long c = product.c();
    if (product.bias() != 0) {
      elementwise.addBias(result, c, product.bias(), product.m(), product.n(), product.relu());
    } else if (product.relu()) {
      elementwise.relu(result, c, c, product.m() * product.n());
    }
  }

  /** What one product needs for its own time: rounded factors and sums of slices. */
  private static final class Staging implements AutoCloseable {
    /** BF16 when one of the factors is. */
    final Storage factors;

    private final Tensor c;
    private TensorScope scope;

    Staging(Tensor c, Tensor a, Tensor b) {
      this.c = c;
      factors = storage(a) == storage(b) ? storage(a) : Storage.BF16;
    }

    private TensorScope scope() {
      if (scope == null) {
        scope = c.device().root().child("gemm");
      }
      return scope;
    }

    /** The factor in the type of both. */
    Tensor factor(Tensor tensor) {
      if (storage(tensor) == factors) {
        return tensor;
      }
      Tensor rounded =
          scope().create("rounded factor", BF16, MemoryTag.WORKSPACE, tensor.shape().toArray());
      c.device().operators().elementwise().cast(tensor, rounded);
      return rounded;
    }

    /** Address of the partial product of each slice; 0 when there is one. */
    long partial(long slices, GemmKernels.Product product) {
      if (slices == 1) {
        return 0;
      }
      return scope()
          .create(
              "partial product of each slice",
              F32,
              MemoryTag.WORKSPACE,
              slices,
              product.m(),
              product.n())
          .deviceAddress(F32);
    }

    @Override
    public void close() {
      if (scope != null) {
        scope.close();
      }
    }
  }

  @Override
  public void close() {
    attempt.cublas().ifPresent(Cublas::close);
  }
}
