package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Adam and the global gradient norm. */
public class OptimizerBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code optimizer}. */
  @Param({"globalNorm", "adam first step", "adam clipped", "adam decoupled"})
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
