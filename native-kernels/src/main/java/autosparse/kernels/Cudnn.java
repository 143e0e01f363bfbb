package autosparse.kernels;

import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgo;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnSoftmaxAlgorithm;
import jcuda.jcudnn.cudnnSoftmaxMode;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import jcuda.runtime.cudaStream_t;

/**
 * NVIDIA's library for dense networks, on a context's stream: not used by the product, but what
 * benchmarks compare it with. Optional: see {@link CudnnLibrary#missing}.
 */
public final class Cudnn implements AutoCloseable {
  private final CudaContext context;
  private final cudnnHandle handle = new cudnnHandle();
  private final Driver.PinnedBlock scalars;
  private final Pointer one;
  private final Pointer zero;

  /** An address on the device. */
  private static final class Address extends Pointer {
    Address(long address) {
      super(address);
    }
  }

  /** Element types and the units that compute in them; sums are in single precision. */
  public enum Format {
    /** float, no tensor cores. */
    FP32(cudnnDataType.CUDNN_DATA_FLOAT, cudnnMathType.CUDNN_FMA_MATH),
    /** float, tensor cores in tf32. */
    TF32(cudnnDataType.CUDNN_DATA_FLOAT, cudnnMathType.CUDNN_DEFAULT_MATH),
    /** bfloat16, tensor cores. */
    BF16(cudnnDataType.CUDNN_DATA_BFLOAT16, cudnnMathType.CUDNN_TENSOR_OP_MATH);

    private final int type;
    private final int math;

    Format(int type, int math) {
      this.type = type;
      this.math = math;
    }
  }

  private Cudnn(CudaContext context) {
    this.context = context;
    call("cudnnCreate", () -> JCudnn.cudnnCreate(handle));
    call(
        "cudnnSetStream",
        () -> JCudnn.cudnnSetStream(handle, new cudaStream_t(JCudaCalls.handle(context.stream()))));
    scalars =
        context.ask("cuDNN's scalars", () -> context.driver().allocatePinned(2 * Float.BYTES));
    scalars.buffer().putFloat(0, 1).putFloat(Float.BYTES, 0);
    one = new Address(scalars.address());
    zero = new Address(scalars.address() + Float.BYTES);
  }

  /**
   * Loads the library.
   *
   * @throws CudaCallException when {@link CudnnLibrary#missing} says why not, or it does not load
   */
  public static Cudnn open(CudaContext context) {
    CudnnLibrary.load(() -> JCudnn.setExceptionsEnabled(true));
    return new Cudnn(context);
  }

  /** Such as {@code cuDNN 91002}. */
  public String version() {
    return "cuDNN " + JCudnn.cudnnGetVersion();
  }

  private void call(String name, Runnable body) {
    context.run(
        name,
        () -> {
          try {
            body.run();
          } catch (CudaException e) {
            throw new DriverFailure(name, e.getMessage());
          }
        });
  }

  private cudnnTensorDescriptor tensor(
      Format format, int images, int channels, int height, int width) {
    cudnnTensorDescriptor tensor = new cudnnTensorDescriptor();
    call("cudnnCreateTensorDescriptor", () -> JCudnn.cudnnCreateTensorDescriptor(tensor));
    call(
        "cudnnSetTensor4dDescriptor",
        () ->
            JCudnn.cudnnSetTensor4dDescriptor(
                tensor,
                cudnnTensorFormat.CUDNN_TENSOR_NHWC,
                format.type,
                images,
                channels,
                height,
                width));
    return tensor;
  }

  private void destroy(cudnnTensorDescriptor tensor) {
    call("cudnnDestroyTensorDescriptor", () -> JCudnn.cudnnDestroyTensorDescriptor(tensor));
  }

  /** The softmax of each row of a matrix of one shape. */
  public final class Softmax implements AutoCloseable {
    private final cudnnTensorDescriptor rows;

    private Softmax(Format format, int rows, int columns) {
      this.rows = tensor(format, rows, columns, 1, 1);
    }

    /** y [rows, columns] = softmax of each row of x, both addresses on the device. */
    public void run(long x, long y) {
      call(
          "cudnnSoftmaxForward",
          () ->
              JCudnn.cudnnSoftmaxForward(
                  handle,
                  cudnnSoftmaxAlgorithm.CUDNN_SOFTMAX_ACCURATE,
                  cudnnSoftmaxMode.CUDNN_SOFTMAX_MODE_INSTANCE,
                  one,
                  rows,
                  new Address(x),
                  zero,
                  rows,
                  new Address(y)));
    }

    @Override
    public void close() {
      destroy(rows);
    }
  }

  public Softmax softmax(Format format, int rows, int columns) {
    return new Softmax(format, rows, columns);
  }

  /**
   * A dense 3×3 convolution of one image, stride 1, zeros around it, channels last: what a
   * submanifold one does on a pattern without holes.
   */
  public final class Convolution implements AutoCloseable {
    private static final int SIZE = 3;
    private static final int ALGORITHM =
        cudnnConvolutionFwdAlgo.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

    private final cudnnTensorDescriptor input;
    private final cudnnTensorDescriptor output;
    private final cudnnFilterDescriptor filter = new cudnnFilterDescriptor();
    private final cudnnConvolutionDescriptor convolution = new cudnnConvolutionDescriptor();
    private final long workspaceBytes;

    private Convolution(Format format, int height, int width, int in, int out) {
      input = tensor(format, 1, in, height, width);
      output = tensor(format, 1, out, height, width);
      call("cudnnCreateFilterDescriptor", () -> JCudnn.cudnnCreateFilterDescriptor(filter));
      call(
          "cudnnSetFilter4dDescriptor",
          () ->
              JCudnn.cudnnSetFilter4dDescriptor(
                  filter, format.type, cudnnTensorFormat.CUDNN_TENSOR_NHWC, out, in, SIZE, SIZE));
      call(
          "cudnnCreateConvolutionDescriptor",
          () -> JCudnn.cudnnCreateConvolutionDescriptor(convolution));
      call(
          "cudnnSetConvolution2dDescriptor",
          () ->
              JCudnn.cudnnSetConvolution2dDescriptor(
                  convolution,
                  SIZE / 2,
                  SIZE / 2,
                  1,
                  1,
                  1,
                  1,
                  cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
                  cudnnDataType.CUDNN_DATA_FLOAT));
      call(
          "cudnnSetConvolutionMathType",
          () -> JCudnn.cudnnSetConvolutionMathType(convolution, format.math));
      long[] bytes = new long[1];
      call(
          "cudnnGetConvolutionForwardWorkspaceSize",
          () ->
              JCudnn.cudnnGetConvolutionForwardWorkspaceSize(
                  handle, input, filter, convolution, output, ALGORITHM, bytes));
      workspaceBytes = bytes[0];
    }

    /** Bytes of device memory that a run wants for itself. */
    public long workspaceBytes() {
      return workspaceBytes;
    }

    /**
     * Queues y = x * weight; addresses on the device.
     *
     * @param x [height, width, in]
     * @param weight [out, 3, 3, in], of the format's type
     * @param workspace of {@link #workspaceBytes}
     * @param y [height, width, out]
     */
    public void run(long x, long weight, long workspace, long y) {
      call(
          "cudnnConvolutionForward",
          () ->
              JCudnn.cudnnConvolutionForward(
                  handle,
                  one,
                  input,
                  new Address(x),
                  filter,
                  new Address(weight),
                  convolution,
                  ALGORITHM,
                  new Address(workspace),
                  workspaceBytes,
                  zero,
                  output,
                  new Address(y)));
    }

    @Override
    public void close() {
      call(
          "cudnnDestroyConvolutionDescriptor",
          () -> JCudnn.cudnnDestroyConvolutionDescriptor(convolution));
      call("cudnnDestroyFilterDescriptor", () -> JCudnn.cudnnDestroyFilterDescriptor(filter));
      destroy(input);
      destroy(output);
    }
  }

  public Convolution convolution(Format format, int height, int width, int in, int out) {
    return new Convolution(format, height, width, in, out);
  }

  @Override
  public void close() {
    call("cudnnDestroy", () -> JCudnn.cudnnDestroy(handle));
    context.run("cuDNN's scalars", () -> context.driver().freePinned(scalars));
  }
}
