package autosparse.benchmarks;

import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation;
import autosparse.engine.opcase.OpCase;
import autosparse.engine.opcase.OpCases;
import java.util.ArrayList;
import java.util.List;

/** Runs the cases of one operator family at their benchmark sizes. */
public abstract class OpCaseBenchmark extends DeviceBenchmark {
  /** Bytes that the bindings of a case touch together: more than a last-level cache holds. */
  private static final double ROTATED_BYTES = 128 << 20;

  private static final int MOST_BINDINGS = 16;

  /** Name of the case in the registry. */
  protected abstract String operator();

  @Override
  protected Workload prepare(BenchmarkDevice on) {
    return new Rotation(named(operator()), on);
  }

  private static OpCase named(String name) {
    return OpCases.all().stream()
        .filter(candidate -> candidate.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no operator case is named " + name));
  }

  /**
   * On a processor a case is bound several times, to tensors that together fit no cache, and the
   * bindings take turns: an operator finds its inputs in memory, as in a training step. On a GPU
   * the stopwatch flushes the cache, and one binding serves.
   */
  private static final class Rotation implements Workload {
    private final TensorScope scope;
    private final List<Invocation> bindings = new ArrayList<>();
    private int next;

    Rotation(OpCase operator, BenchmarkDevice on) {
      scope = on.scope().child(operator.name());
      double bytes = 0;
      do {
        Invocation binding =
            operator.prepare(scope, operator.benchmarkSize(), bindings.size() + 1L);
        bindings.add(binding);
        bytes += binding.bytes();
      } while (!on.isCuda() && bytes < ROTATED_BYTES && bindings.size() < MOST_BINDINGS);
    }

    @Override
    public void run() {
      Invocation binding = bindings.get(next);
      next = (next + 1) % bindings.size();
      binding.run().run();
    }

    @Override
    public Cost cost() {
      return Cost.of(bindings.get(0).flops(), bindings.get(0).bytes());
    }

    @Override
    public void close() {
      scope.close();
    }
  }
}
