package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** AutoSparseNet's 13-layer tower over one matrix; see {@link TowerWorkload}. */
public class TowerBenchmark extends DeviceBenchmark {
  /** A matrix file, {@code band:N} or {@code rmat:N}; empty for a small generated band. */
  @Param("")
  public String matrix;

  /** C of the tower. */
  @Param("32")
  public int channels;

  /** Which pass. */
  @Param({"FORWARD", "FORWARD_AND_BACKWARD"})
  public Pass pass;

  @Override
  protected Workload prepare(BenchmarkDevice on) {
    return new TowerWorkload(on, Patterns.of(matrix), channels, pass);
  }
}
