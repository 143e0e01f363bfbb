package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Layer normalisation, forward and backward. */
public class NormalizationBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code normalization}. */
  @Param({
    "layerNorm C=48",
    "layerNorm C=512",
    "layerNorm N=5",
    "layerNormBackward C=48",
    "layerNormBackward C=512",
    "layerNormBackward N=5"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
