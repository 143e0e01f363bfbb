package autosparse.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What a benchmark did, as JMH's auxiliary counters: with throughput in seconds they are printed as
 * rates, so that {@code gflop} reads GFLOP/s, {@code gbyte} GB/s, and the shares are fractions of
 * the ceilings.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Rates {
  /** Floating-point operations, in thousand millions. */
  public double gflop;

  /** Bytes that had to be moved at least, in thousand millions. */
  public double gbyte;

  /** Seconds that the operations would take at the sgemm ceiling: a second, a share. */
  public double shareOfSgemm;

  /** Seconds that the bytes would take at the copy ceiling. */
  public double shareOfCopy;

  void add(Ceilings ceilings, double flops, double bytes) {
    gflop += flops / 1e9;
    gbyte += bytes / 1e9;
    shareOfSgemm += flops / ceilings.sgemm();
    shareOfCopy += bytes / ceilings.copy();
  }
}
