package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Sites, neighbour maps and masks. */
public class SparsePatternBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code sparse pattern}. */
  @Param({
    "downsample stride 2 density 0.02",
    "neighborhood masks 5x5 stride 1 dilation 1 density 0.02",
    "neighbors 3x3 stride 1 dilation 1 density 0.02",
    "neighbors 3x3 stride 2 dilation 1 density 0.02",
    "downsample stride 2 density 0.4",
    "neighborhood masks 5x5 stride 1 dilation 1 density 0.4",
    "neighbors 3x3 stride 1 dilation 1 density 0.4",
    "neighbors 3x3 stride 2 dilation 1 density 0.4",
    "downsample stride 2 density 1.0",
    "neighborhood masks 5x5 stride 1 dilation 1 density 1.0",
    "neighbors 3x3 stride 1 dilation 1 density 1.0",
    "neighbors 3x3 stride 2 dilation 1 density 1.0",
    "downsample stride 3 density 0.2",
    "neighborhood masks 3x3 stride 1 dilation 3 density 0.2",
    "neighbors 1x1 stride 1 dilation 1 density 0.2",
    "neighbors 3x3 stride 1 dilation 3 density 0.2",
    "neighbors 5x5 stride 1 dilation 2 density 0.2",
    "neighbors 5x5 stride 3 dilation 2 density 0.2"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
