package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Attention over packed sequences, forward and backward. */
public class AttentionBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code attention}. */
  @Param({
    "attention L=12 H=8 d=32",
    "attentionBackward L=12 H=8 d=32",
    "attention mixed H=4 d=8",
    "attentionBackward mixed H=4 d=8",
    "attention wide heads H=2 d=40",
    "attentionBackward wide heads H=2 d=40",
    "attention one sequence H=1 d=5",
    "attentionBackward one sequence H=1 d=5"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
