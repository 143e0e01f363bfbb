package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Sums over rows, segments and whole tensors. */
public class ReductionBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code reduction}. */
  @Param({
    "columnSum C=20",
    "columnSum C=1 accumulating",
    "columnSum C=264 accumulating",
    "reluColumnSum C=21",
    "reluColumnSum C=72",
    "segmentSum C=1",
    "segmentSum C=21",
    "segmentBroadcast",
    "sum"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
