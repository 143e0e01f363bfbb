package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Global averages and sums over sites and their gradients. */
public class PoolingBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code pooling}. */
  @Param({
    "global average C=1",
    "relu average backward C=1",
    "relu average backward C=1 last layer",
    "add sum C=1",
    "relu sum backward C=1",
    "relu sum backward C=1 last layer",
    "global average C=1 of a strip",
    "relu average backward C=1 of a strip",
    "relu average backward C=1 last layer of a strip",
    "add sum C=1 of a strip",
    "relu sum backward C=1 of a strip",
    "relu sum backward C=1 last layer of a strip",
    "average of sum C=1",
    "global average C=8",
    "relu average backward C=8",
    "relu average backward C=8 last layer",
    "add sum C=8",
    "relu sum backward C=8",
    "relu sum backward C=8 last layer",
    "global average C=8 of a strip",
    "relu average backward C=8 of a strip",
    "relu average backward C=8 last layer of a strip",
    "add sum C=8 of a strip",
    "relu sum backward C=8 of a strip",
    "relu sum backward C=8 last layer of a strip",
    "average of sum C=8",
    "global average C=32",
    "relu average backward C=32",
    "relu average backward C=32 last layer",
    "add sum C=32",
    "relu sum backward C=32",
    "relu sum backward C=32 last layer",
    "global average C=32 of a strip",
    "relu average backward C=32 of a strip",
    "relu average backward C=32 last layer of a strip",
    "add sum C=32 of a strip",
    "relu sum backward C=32 of a strip",
    "relu sum backward C=32 last layer of a strip",
    "average of sum C=32",
    "global average C=33",
    "relu average backward C=33",
    "relu average backward C=33 last layer",
    "add sum C=33",
    "relu sum backward C=33",
    "relu sum backward C=33 last layer",
    "global average C=33 of a strip",
    "relu average backward C=33 of a strip",
    "relu average backward C=33 last layer of a strip",
    "add sum C=33 of a strip",
    "relu sum backward C=33 of a strip",
    "relu sum backward C=33 last layer of a strip",
    "average of sum C=33"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
