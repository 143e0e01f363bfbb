package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Margin and LambdaRank losses with their gradients. */
public class RankingLossBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code rankingLoss}. */
  @Param({"margin one group", "margin groups", "lambdaRank one group", "lambdaRank groups"})
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
