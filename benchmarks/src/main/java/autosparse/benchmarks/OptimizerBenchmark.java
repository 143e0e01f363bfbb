package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Adam, the global gradient norm, the running average of the weights. */
public class OptimizerBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code optimizer}. */
  @Param({
    "globalNorm",
    "adam first step",
    "adam clipped",
    "adam decoupled",
    "adamAveraged",
    "average",
    "average first step"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
