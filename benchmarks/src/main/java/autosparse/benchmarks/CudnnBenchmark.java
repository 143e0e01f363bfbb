package autosparse.benchmarks;

import autosparse.engine.CudaDevice;
import autosparse.engine.DType;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.Cudnn;
import autosparse.kernels.CudnnLibrary;
import autosparse.schedule.InputException;
import java.util.Arrays;
import java.util.Optional;
import org.openjdk.jmh.annotations.Param;

/**
 * What NVIDIA's library for dense networks makes of what it can do as well: a convolution over a
 * grid without holes beside our sparse one over the same sites, and the softmax alone of the scores
 * that {@code attention B=16384 L=25 H=8 D=32} of {@link TargetBenchmark} has inside.
 */
public class CudnnBenchmark extends DeviceBenchmark {
  private static final int EDGE = 1024;
  private static final int SOFTMAX_ROWS = 16384 * 25 * 8;
  private static final int SOFTMAX_COLUMNS = 25;

  /** What, and by whom. */
  @Param({
    "full grid 32->32 cudnn",
    "full grid 32->32 autosparse",
    "full grid 128->128 cudnn",
    "full grid 128->128 autosparse",
    "softmax cudnn"
  })
  public String work;

  /** Why these benchmarks cannot run, in one line; empty when they can. */
  static Optional<String> unavailable(boolean cuda) {
    return cuda ? CudnnLibrary.missing() : Optional.of("no GPU was asked for or found");
  }

  @Override
  protected Workload prepare(BenchmarkDevice on) {
    int channels = work.contains("128->128") ? 128 : 32;
    if (work.equals("softmax cudnn")) {
      return new Softmax(on);
    }
    if (work.endsWith("autosparse")) {
      return new ConvolutionWorkload(on, fullGrid(), channels, channels, Pass.FORWARD);
    }
    if (work.endsWith("cudnn")) {
      return new Convolution(on, channels);
    }
    throw new InputException("work '" + work + "', expected one that -lp lists");
  }

  private static Sites.Pattern fullGrid() {
    long[] pointers = new long[EDGE + 1];
    Arrays.setAll(pointers, row -> (long) row * EDGE);
    int[] columns = new int[EDGE * EDGE];
    Arrays.setAll(columns, site -> site % EDGE);
    return new Sites.Pattern(EDGE, EDGE, pointers, columns);
  }

  private static CudaDevice gpu(BenchmarkDevice on) {
    if (on.device() instanceof CudaDevice gpu) {
      return gpu;
    }
    throw new InputException(
        "device " + on.device().name() + ", expected a GPU: cuDNN has no other");
  }

  private static Cudnn.Format format(CudaDevice gpu) {
    if (gpu.activation() == DType.BF16) {
      return Cudnn.Format.BF16;
    }
    return gpu.facts().get("precision").equals(Precision.TF32.toString())
        ? Cudnn.Format.TF32
        : Cudnn.Format.FP32;
  }

  private static final class Softmax implements Workload {
    private final TensorScope scope;
    private final Cudnn cudnn;
    private final Cudnn.Softmax softmax;
    private final Tensor x;
    private final Tensor y;

    Softmax(BenchmarkDevice on) {
      CudaDevice gpu = gpu(on);
      scope = on.scope().child("softmax");
      DType type = gpu.activation();
      x = scope.create("x", type, MemoryTag.ACTIVATION, SOFTMAX_ROWS, SOFTMAX_COLUMNS);
      y = scope.create("y", type, MemoryTag.ACTIVATION, SOFTMAX_ROWS, SOFTMAX_COLUMNS);
      RandomTensors.fill(x, 1);
      cudnn = Cudnn.open(gpu.context());
      softmax = cudnn.softmax(format(gpu), SOFTMAX_ROWS, SOFTMAX_COLUMNS);
      System.out.println(cudnn.version());
    }

    @Override
    public void run() {
      softmax.run(x.deviceAddress(x.dtype()), y.deviceAddress(y.dtype()));
    }

    @Override
    public Cost cost() {
      double bytes = x.bytes() + y.bytes();
      return Cost.of(0, bytes);
    }

    @Override
    public void close() {
      softmax.close();
      cudnn.close();
      scope.close();
    }
  }

  private static final class Convolution implements Workload {
    private static final int OFFSETS = 9;

    private final TensorScope scope;
    private final Cudnn cudnn;
    private final Cudnn.Convolution convolution;
    private final Tensor x;
    private final Tensor weight;
    private final Tensor workspace;
    private final Tensor y;

    Convolution(BenchmarkDevice on, int channels) {
      CudaDevice gpu = gpu(on);
      scope = on.scope().child("convolution");
      DType type = gpu.activation();
      long sites = (long) EDGE * EDGE;
      x = scope.create("x", type, MemoryTag.ACTIVATION, sites, channels);
      y = scope.create("y", type, MemoryTag.ACTIVATION, sites, channels);
      weight = scope.create("weight", type, MemoryTag.WEIGHTS, channels, OFFSETS, channels);
      RandomTensors.fill(x, 1);
      RandomTensors.fill(weight, 2);
      cudnn = Cudnn.open(gpu.context());
      convolution = cudnn.convolution(format(gpu), EDGE, EDGE, channels, channels);
      long words = Math.max(1, convolution.workspaceBytes() / 4 + 1);
      workspace = scope.create("workspace", DType.I32, MemoryTag.WORKSPACE, words);
      System.out.println(cudnn.version());
    }

    @Override
    public void run() {
      convolution.run(
          x.deviceAddress(x.dtype()),
          weight.deviceAddress(weight.dtype()),
          workspace.deviceAddress(DType.I32),
          y.deviceAddress(y.dtype()));
    }

    /** Of neighbours inside the grid, as our own is counted. */
    @Override
    public Cost cost() {
      double edgePairs = 3.0 * EDGE - 2;
      double bytes = x.bytes() + y.bytes() + weight.bytes();
      return Cost.of(2 * edgePairs * edgePairs * x.dim(1) * y.dim(1), bytes);
    }

    @Override
    public void close() {
      convolution.close();
      cudnn.close();
      scope.close();
    }
  }
}
