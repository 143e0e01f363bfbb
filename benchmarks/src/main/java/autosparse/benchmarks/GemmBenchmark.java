package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Matrix products and fused linear layers. */
public class GemmBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code gemm}. */
  @Param({
    "gemm NN rows",
    "gemm NT rows",
    "gemm TN rows",
    "gemm TT rows",
    "gemm TN inner",
    "gemm TN inner beta=1",
    "gemm NN columns alpha=.5 beta=-2",
    "gemm NT square",
    "linear bias 20 to 12",
    "linear bias relu 20 to 70",
    "linear relu 1 to 33",
    "linear 7 to 1"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
