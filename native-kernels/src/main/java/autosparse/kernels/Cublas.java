package autosparse.kernels;

import java.util.Optional;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Products by NVIDIA's library, on a context's stream and in a workspace of its own, so that the
 * same product has the same bits each time.
 *
 * <p>JCublas2 is linked against libcublas.so.12. With CUDA 13, which has only libcublas.so.13, a
 * small library from the jar takes that name and forwards the few functions used here.
 */
public final class Cublas implements AutoCloseable {
  private static final String BRIDGE = "/autosparse/kernels/bridge/libcublas12.so";

  /** What NVIDIA advises for its newest GPUs; without one the library takes it when it wants. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  /** Alpha and beta of a product. */
  private static final int SCALARS_BYTES = 2 * Float.BYTES;

  /** How products of floats are formed; those of bfloat16 are exact, and summed in float. */
  public enum Arithmetic {
    FP32(cublasComputeType.CUBLAS_COMPUTE_32F),
    TF32(cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32);

    private final int compute;

    Arithmetic(int compute) {
      this.compute = compute;
    }
  }

  private final CudaContext context;
  private final DeviceRange workspace;
  private final cublasHandle handle = new cublasHandle();
  private final Driver.PinnedBlock scalars;
  private final Pointer alpha;
  private final Pointer beta;
  private String version;
  private boolean created;

  /** An address on the device. */
  private static final class Address extends Pointer {
    Address(long address) {
      super(address);
    }
  }

  /** The library's memory; it computes nothing, as on a planning context, until it is started. */
  Cublas(CudaContext context) {
    this.context = context;
    scalars = context.pin(HostLedger.Kind.ARGUMENTS, SCALARS_BYTES);
    alpha = new Address(scalars.address());
    beta = new Address(scalars.address() + Float.BYTES);
    try {
      workspace = context.allocate(WORKSPACE_BYTES);
    } catch (RuntimeException e) {
      Cleanup.after(e, this::unpinScalars);
      throw e;
    }
    version = "cuBLAS (planned)";
  }

  private static Cublas started(CudaContext context, String library) {
    Cublas cublas = new Cublas(context);
    try {
      cublas.start(library);
    } catch (RuntimeException e) {
      Cleanup.after(e, cublas::close);
      throw e;
    }
    return cublas;
  }

  private void start(String library) {
    JCublas2.cublasCreate(handle);
    created = true;
    JCublas2.cublasSetStream(handle, new cudaStream_t(JCudaCalls.handle(context.stream())));
    JCublas2.cublasSetMathMode(handle, cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
    JCublas2.cublasSetWorkspace(handle, new Address(workspace.address()), WORKSPACE_BYTES);
    int[] number = new int[1];
    JCublas2.cublasGetVersion(handle, number);
    version = String.format("cuBLAS %d (%s)", number[0], library);
  }

  /**
   * What came of the search for the library.
   *
   * @param cublas the library, if it is there
   * @param reason why not, in one line; empty otherwise
   */
  public record Attempt(Optional<Cublas> cublas, String reason) implements AutoCloseable {
    /** Gives the library back, if there is one. */
    @Override
    public void close() {
      cublas.ifPresent(Cublas::close);
    }

    private static Attempt failed(String reason) {
      return new Attempt(Optional.empty(), reason);
    }
  }

  /** Looks for the library of CUDA 12, then of CUDA 13. Nothing is thrown for its absence. */
  public static Attempt load(CudaContext context) {
    if (context.planning().isPresent()) {
      return context.planning().get().cublas()
          ? new Attempt(Optional.of(new Cublas(context)), "")
          : Attempt.failed("planned without");
    }
    if (!(context.driver() instanceof JCudaCalls)) {
      return Attempt.failed("not asked for");
    }
    try {
      Optional<String> twelve = DriverLibrary.find("libcublas.so.12");
      Optional<String> thirteen = DriverLibrary.find("libcublas.so.13");
      if (twelve.isPresent()) {
        load(twelve.get());
      } else if (thirteen.isPresent()) {
        load(thirteen.get());
        System.load(NativeCache.ofUser().unpack(BRIDGE).toString());
      } else {
        return Attempt.failed("neither libcublas.so.12 nor libcublas.so.13 found");
      }
      NativeCache.ofUser().loadJCuda("JCublas2", () -> JCublas2.setExceptionsEnabled(true));
      String library = twelve.or(() -> thirteen).orElseThrow();
      return new Attempt(Optional.of(started(context, library)), "");
    } catch (LinkageError | CudaException | NativeCacheException | DriverFailure e) {
      return Attempt.failed("cuBLAS does not load: " + CudaDriver.firstLine(e));
    }
  }

  /** Loads the library after the one beside it that it needs: the JVM's linker knows neither. */
  private static void load(String library) {
    System.load(library.replace("libcublas.so", "libcublasLt.so"));
    System.load(library);
  }

  /** Such as {@code cuBLAS 130100 (/usr/local/cuda/lib64/libcublas.so.13)}. */
  public String version() {
    return version;
  }

  /**
   * Queues C = alpha·op(A)·op(B) + beta·C, all row-major; the product's bias must be 0 and its ReLU
   * false.
   *
   * @param arithmetic how floats are multiplied
   * @param factors type of A and B
   * @param result type of C: float where the factors are
   * @throws IllegalArgumentException for a size that the library does not take: 0, or 2^31 and more
   */
  public void multiply(
      Arithmetic arithmetic, Storage factors, GemmKernels.Product product, Storage result) {
    if (!takes(factors, product, result)) {
      throw new IllegalArgumentException("cuBLAS does not take " + product);
    }
    int m = (int) product.m();
    int n = (int) product.n();
    int k = (int) product.k();
    // A product may wait in the queue while the next one's scalars are written: the library reads
    // scalars in host memory before it returns.
    scalars.buffer().putFloat(0, product.alpha()).putFloat(Float.BYTES, product.beta());
    Arithmetic used = factors == Storage.F32 ? arithmetic : Arithmetic.FP32;
    context.run(
        "cuBLAS gemm " + factors + " " + used + " " + m + "x" + n + "x" + k,
        () -> {
          try {
            // Row-major C is column-major Cᵀ = op(B)ᵀ·op(A)ᵀ. JCublas2's function without _new
            // takes
            // a data type for the compute type and cannot ask for tf32.
            JCublas2.cublasGemmEx_new(
                handle,
                operation(product.transposeB()),
                operation(product.transposeA()),
                n,
                m,
                k,
                alpha,
                new Address(product.b()),
                type(factors),
                product.transposeB() ? k : n,
                new Address(product.a()),
                type(factors),
                product.transposeA() ? m : k,
                beta,
                new Address(product.c()),
                type(result),
                n,
                used.compute,
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
          } catch (CudaException e) {
            throw new DriverFailure("cublasGemmEx", e.getMessage());
          }
        });
  }

  private static int type(Storage storage) {
    return storage == Storage.BF16 ? cudaDataType.CUDA_R_16BF : cudaDataType.CUDA_R_32F;
  }

  /** Whether the library computes this product. */
  public static boolean takes(Storage factors, GemmKernels.Product product, Storage result) {
    return (factors == Storage.BF16 || result == Storage.F32)
        && product.bias() == 0
        && !product.relu()
        && fits(product.m())
        && fits(product.n())
        && fits(product.k());
  }

  private static boolean fits(long size) {
    return size > 0 && size <= Integer.MAX_VALUE;
  }

  private static int operation(boolean transpose) {
    return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }

  /** Gives back handle, workspace and scalars: the last taken first. */
  @Override
  public void close() {
    if (created) {
      context.run("closing cuBLAS", this::destroy);
    }
    workspace.close();
    context.run("freeing cuBLAS' scalars", this::unpinScalars);
  }

  private void unpinScalars() {
    context.unpin(HostLedger.Kind.ARGUMENTS, scalars, SCALARS_BYTES);
  }

  private void destroy() {
    try {
      JCublas2.cublasDestroy(handle);
    } catch (CudaException e) {
      throw new DriverFailure("cublasDestroy", e.getMessage());
    }
  }
}
