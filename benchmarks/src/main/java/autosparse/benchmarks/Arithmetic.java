package autosparse.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * The operations that a benchmark did, as JMH's auxiliary counters. With throughput in seconds they
 * are printed as rates: {@code gflop} reads GFLOP/s, the share is a fraction of the ceiling.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Arithmetic {
  /** Floating-point operations, in thousand millions. */
  public double gflop;

  /** Seconds that the operations would take at the sgemm ceiling: in a second, a share. */
  public double shareOfSgemm;

  void add(Ceilings ceilings, double flops) {
    gflop += flops / 1e9;
    shareOfSgemm += flops / ceilings.sgemm();
  }
}
