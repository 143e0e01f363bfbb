package autosparse.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** As {@link Arithmetic}, of the bytes that a benchmark had to move at least. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Traffic {
  /** Bytes, in thousand millions. */
  public double gbyte;

  /** Seconds that the bytes would take at the copy ceiling: in a second, a share. */
  public double shareOfCopy;

  void add(Ceilings ceilings, double bytes) {
    gbyte += bytes / 1e9;
    shareOfCopy += bytes / ceilings.copy();
  }
}
