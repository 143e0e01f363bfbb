package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.HostDevice;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * AutoSparseNet's 13-layer tower over one matrix on the CPU engine. Its operations are two for each
 * multiply-add with a neighbour that exists: zeros that an implementation multiplies do not count.
 * Neighbour maps are made before, as in training, where they are kept from step to step.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "--enable-native-access=ALL-UNNAMED"})
@State(Scope.Thread)
public class TowerBenchmark {
  /** A matrix file; empty for a generated band. */
  @Param("")
  public String matrix;

  /** C of the tower. */
  @Param("32")
  public int channels;

  /** Worker threads of the CPU engine; 0 for all cores. */
  @Param("0")
  public int threads;

  private HostDevice device;
  private TensorScope scope;
  private Parameters parameters;
  private PatternPyramid pyramid;
  private SparseTower tower;
  private Ceilings ceilings;
  private double forwardFlops;
  private double firstLayerFlops;
  private long step;

  /** Makes the tower, the neighbour maps, and measures the ceilings. */
  @Setup(Level.Trial)
  public void prepare() {
    HostDevice.Options options = HostDevice.Options.defaults();
    device = HostDevice.cpu(threads == 0 ? options : options.withThreads(threads));
    scope = device.root().child("benchmark");
    parameters = new Parameters(scope, 1);
    tower = SparseTower.autoSparse(parameters.in("tower"), channels);
    Sites.Pattern pattern = Patterns.of(matrix);
    // Counting needs the first layer's map, which the tower itself does without.
    try (PatternPyramid counted = new PatternPyramid(scope, pattern)) {
      forwardFlops = 2 * tower.multiplyAdds(counted);
      long pairs = counted.map(0, new ConvolutionKernel(5, 1, 1)).pairs();
      firstLayerFlops = 2.0 * pairs * channels;
    }
    pyramid = new PatternPyramid(scope, pattern);
    step = 0;
    ceilings = Ceilings.measure(threads == 0 ? options.threads() : threads);
    System.out.println(ceilings);
    System.out.printf(
        "%d × %d, %d nonzeros; forward %.3f GFLOP, forward and backward %.3f GFLOP%n",
        pattern.rows(),
        pattern.columns(),
        pattern.columnIndices().length,
        forwardFlops / 1e9,
        stepFlops() / 1e9);
  }

  /** The gradients cost twice the forward pass, but the first layer's input has none. */
  private double stepFlops() {
    return 3 * forwardFlops - firstLayerFlops;
  }

  /** All layers' pooled outputs, nothing kept. */
  @Benchmark
  public void forward(Arithmetic arithmetic) {
    try (Tape tape = Tape.inference(scope)) {
      tower.forward(tape, pyramid);
    }
    arithmetic.add(ceilings, forwardFlops);
  }

  /** The pooled outputs and the gradient of all weights. */
  @Benchmark
  public void forwardAndBackward(Arithmetic arithmetic) {
    parameters.zeroGradients();
    try (Tape tape = Tape.recording(scope, step++)) {
      for (Variable pooled : tower.forward(tape, pyramid)) {
        tape.gradient(pooled, g -> device.operators().elementwise().fill(g, 1));
      }
      tape.backward();
    }
    arithmetic.add(ceilings, stepFlops());
  }

  /** Says how much memory it took and gives it back. */
  @TearDown(Level.Trial)
  public void release() {
    System.out.printf("%npeak device memory %.1f MB%n", device.ledger().peakBytes() / 1e6);
    pyramid.close();
    parameters.close();
    scope.close();
    device.close();
  }
}
