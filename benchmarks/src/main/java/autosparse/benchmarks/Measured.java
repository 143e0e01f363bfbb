package autosparse.benchmarks;

import java.util.Arrays;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What an iteration measured, as JMH's auxiliary counters: each public method is one, named with
 * its unit. JMH adds counters up over iterations; with one iteration, as our benchmarks have unless
 * asked otherwise, each is what it says.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class Measured {
  private double[] milliseconds = new double[64];
  private double[] hostMilliseconds = new double[64];
  private int calls;
  private Cost cost = Cost.of(0, 0);
  private Ceilings ceilings = new Ceilings(1, 1);
  private long peakBytes;

  /** Forgets the iteration before. */
  @Setup(Level.Iteration)
  public void clear() {
    calls = 0;
  }

  /** Does a piece of work once and notes its time. */
  void time(BenchmarkDevice device, Workload work) {
    Stopwatch.Timing timing = device.time(work::run);
    if (calls == milliseconds.length) {
      milliseconds = Arrays.copyOf(milliseconds, 2 * calls);
      hostMilliseconds = Arrays.copyOf(hostMilliseconds, 2 * calls);
    }
    milliseconds[calls] = timing.milliseconds();
    hostMilliseconds[calls++] = timing.hostMilliseconds();
    cost = work.cost();
    ceilings = device.ceilings();
    peakBytes = device.peakBytes();
  }

  /** Calls that were timed. */
  public double calls() {
    return calls;
  }

  /** Median time of a call: by events on a GPU. */
  public double timeMs() {
    return quantile(milliseconds, 0.5);
  }

  /** Distance of the quartiles, as a share of the median. */
  public double spread() {
    return (quantile(milliseconds, 0.75) - quantile(milliseconds, 0.25)) / timeMs();
  }

  /** Median time until a call returned: on a GPU until its work was queued. */
  public double hostMs() {
    return quantile(hostMilliseconds, 0.5);
  }

  /** Thousand million floating-point operations a second. */
  public double gflopPerSecond() {
    return cost.flops() / timeMs() / 1e6;
  }

  /** Thousand million bytes a second, of those that have to be moved at least. */
  public double gbytePerSecond() {
    return cost.bytes() / timeMs() / 1e6;
  }

  /** Time that the work takes at the ceilings, whichever is the longer. */
  public double floorMs() {
    return ceilings.floorMilliseconds(cost);
  }

  /** Share of the ceiling that bounds the work: floor / time. */
  public double share() {
    return floorMs() / timeMs();
  }

  /** Schedules ranked a second; 0 where none are. */
  public double schedulesPerSecond() {
    return cost.schedules() / timeMs() * 1e3;
  }

  /** Most memory that tensors held on the device, in millions of bytes. */
  public double peakMegabytes() {
    return peakBytes / 1e6;
  }

  /** The ceiling of arithmetic, measured in this run. */
  public double ceilingGflopPerSecond() {
    return ceilings.flops() / 1e9;
  }

  /** The ceiling of traffic, measured in this run. */
  public double ceilingGbytePerSecond() {
    return ceilings.copy() / 1e9;
  }

  private double quantile(double[] values, double share) {
    if (calls == 0) {
      return Double.NaN;
    }
    double[] ascending = Arrays.copyOf(values, calls);
    Arrays.sort(ascending);
    return ascending[(int) ((calls - 1) * share)];
  }
}
