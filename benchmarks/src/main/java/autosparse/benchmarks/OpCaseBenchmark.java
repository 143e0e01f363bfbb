package autosparse.benchmarks;

import autosparse.engine.HostDevice;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation;
import autosparse.engine.opcase.OpCase;
import autosparse.engine.opcase.OpCases;
import java.util.ArrayList;
import java.util.List;
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
 * Runs the cases of one operator family on the CPU engine at their benchmark sizes.
 *
 * <p>A case is bound several times, to tensors that together fit no cache, and the bindings take
 * turns: an operator finds its inputs in memory, as in a training step.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "--enable-native-access=ALL-UNNAMED"})
@State(Scope.Thread)
public abstract class OpCaseBenchmark {
  /** Bytes that the bindings of a case touch together: more than a last-level cache holds. */
  private static final double ROTATED_BYTES = 128 << 20;

  private static final int MOST_BINDINGS = 16;

  /** Worker threads of the CPU engine; 0 for all cores. */
  @Param("0")
  public int threads;

  private HostDevice device;
  private TensorScope scope;
  private Ceilings ceilings;
  private final List<Invocation> bindings = new ArrayList<>();
  private int next;

  /** Name of the case in the registry. */
  protected abstract String operator();

  /** Binds the case and measures the ceilings. */
  @Setup(Level.Trial)
  public void bind() {
    HostDevice.Options options = HostDevice.Options.defaults();
    device = HostDevice.cpu(threads == 0 ? options : options.withThreads(threads));
    scope = device.root().child("benchmark");
    OpCase operator =
        OpCases.all().stream()
            .filter(candidate -> candidate.name().equals(operator()))
            .findFirst()
            .orElseThrow(
                () -> new IllegalArgumentException("no operator case is named " + operator()));
    bindings.clear();
    double bytes = 0;
    do {
      Invocation binding = operator.prepare(scope, operator.benchmarkSize(), bindings.size() + 1L);
      bindings.add(binding);
      bytes += binding.bytes();
    } while (bytes < ROTATED_BYTES && bindings.size() < MOST_BINDINGS);
    next = 0;
    ceilings = Ceilings.measure(threads == 0 ? options.threads() : threads);
    System.out.println(ceilings);
  }

  /** One call of the operator. */
  @Benchmark
  public void run(Arithmetic arithmetic, Traffic traffic) {
    Invocation binding = bindings.get(next);
    next = (next + 1) % bindings.size();
    binding.run().run();
    arithmetic.add(ceilings, binding.flops());
    traffic.add(ceilings, binding.bytes());
  }

  /** Gives the device's memory back. */
  @TearDown(Level.Trial)
  public void release() {
    scope.close();
    device.close();
  }
}
