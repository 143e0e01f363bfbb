package autosparse.benchmarks;

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
 * A benchmark on one of the engine's devices. What counts is in {@link Measured}; JMH's own score
 * is the time of a whole call on the host, on a GPU with the flush of the L2 before it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 1, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "--enable-native-access=ALL-UNNAMED"})
@State(Scope.Thread)
public abstract class DeviceBenchmark {
  /** {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:N}. */
  @Param("auto")
  public String device;

  /** {@code fp32}, {@code tf32}, {@code bf16}, or {@code auto} for the device's own. */
  @Param("auto")
  public String precision;

  /** Worker threads of the CPU engine; 0 for all cores. */
  @Param("0")
  public int threads;

  private BenchmarkDevice opened;
  private Workload workload;

  /** Makes what is measured, with its inputs. */
  protected abstract Workload prepare(BenchmarkDevice on);

  /** Opens the device and prepares the work. */
  @Setup(Level.Trial)
  public void open() {
    opened = BenchmarkDevice.open(device, precision, threads);
    try {
      workload = prepare(opened);
      opened.resetPeak();
    } catch (RuntimeException e) {
      opened.abandon(e);
      throw e;
    }
  }

  /** On a processor the ceilings come and go with other work: they are measured anew. */
  @Setup(Level.Iteration)
  public void measureCeilings() {
    if (!opened.isCuda()) {
      opened.measureCeilings();
    }
  }

  /** One call. */
  @Benchmark
  public void run(Measured measured) {
    measured.time(opened, workload);
  }

  /** Gives the device back. */
  @TearDown(Level.Trial)
  public void close() {
    workload.close();
    opened.close();
  }
}
