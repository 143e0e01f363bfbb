package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Rows of a table by index. */
public class EmbeddingBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code embedding}. */
  @Param({
    "gather V=2",
    "gatherBackward V=2",
    "gather V=37",
    "gatherBackward V=37",
    "gather V=1000",
    "gatherBackward V=1000"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
