package autosparse.benchmarks;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.layers.RankingLoss;
import org.openjdk.jmh.annotations.Param;

/** One step of training an SpMM cost model with LambdaRank; see {@link StepWorkload}. */
public class TrainingStepBenchmark extends DeviceBenchmark {
  /** A matrix file, {@code band:N} or {@code rmat:N}; empty for a small generated band. */
  @Param("")
  public String matrix;

  /** The network. */
  @Param("AUTOSPARSE")
  public ModelKind model;

  /** C of the tower. */
  @Param("32")
  public int channels;

  /** Schedules that are ranked in a step. */
  @Param("768")
  public int schedules;

  @Override
  protected Workload prepare(BenchmarkDevice on) {
    ModelConfig config = RankingNetwork.config(model, channels, ModelConfig.Head.COMPACT);
    return new StepWorkload(on, Patterns.of(matrix), config, RankingLoss.LAMBDARANK, schedules);
  }
}
