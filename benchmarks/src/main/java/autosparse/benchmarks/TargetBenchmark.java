package autosparse.benchmarks;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.engine.sparse.Sites;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The rows that this project's speed is judged by, each with its usual matrix; {@code
 * pytorch/compare.py} measures the same ones in PyTorch.
 */
@Warmup(iterations = 1, time = 500, timeUnit = java.util.concurrent.TimeUnit.MILLISECONDS)
@Measurement(iterations = 1, time = 1)
public class TargetBenchmark extends DeviceBenchmark {
  private static final Pattern ROW = Pattern.compile("(.+) on (\\S+)");
  private static final Pattern CONVOLUTION =
      Pattern.compile("convolution (\\d+)->(\\d+) (forward|forward\\+backward|map\\+forward)");
  private static final Pattern TOWER =
      Pattern.compile("tower C=(\\d+) (forward|forward\\+backward)");
  private static final Pattern STEP = Pattern.compile("step C=(\\d+) (\\d+) schedules");
  private static final Pattern HEAD = Pattern.compile("head (\\d+) schedules forward\\+backward");
  private static final Pattern ATTENTION =
      Pattern.compile("attention B=(\\d+) L=(\\d+) H=(\\d+) D=(\\d+) forward");
  private static final Pattern RANK =
      Pattern.compile("rank (\\d+) schedules (together|one by one)");
  private static final Pattern RANK_MATRICES =
      Pattern.compile("rank (\\d+) matrices x (\\d+) schedules (together|one by one)");

  /**
   * What, and after {@code on} its matrix as {@link Patterns} names them, or a file of the folder.
   */
  @Param({
    "convolution 32->32 forward on band:1000000",
    "convolution 32->32 forward+backward on band:1000000",
    "convolution 128->128 forward on band:1000000",
    "convolution 128->128 forward+backward on band:1000000",
    "convolution 32->32 forward on rmat:1000000",
    "convolution 128->128 forward on rmat:1000000",
    "convolution 32->32 map+forward on band:1000000",
    "tower C=128 forward+backward on nemspmm1_16x4_0.csr",
    "tower C=128 forward+backward on band:10000000",
    "step C=128 768 schedules on nemspmm1_16x4_0.csr",
    "head 768 schedules forward+backward on band:1000",
    "attention B=16384 L=25 H=8 D=32 forward",
    "rank 4096 schedules together on band:1000",
    "rank 64 schedules one by one on band:1000",
    "rank 16 matrices x 64 schedules together on band:10000",
    "rank 16 matrices x 64 schedules one by one on band:10000"
  })
  public String row;

  /** Another matrix for the rows that have one: a file, {@code band:N} or {@code rmat:N}. */
  @Param("")
  public String matrix;

  /** Folder of the rows' matrix files. */
  @Param("../shared/data/matrices")
  public String matrices;

  @Override
  protected Workload prepare(BenchmarkDevice on) {
    Matcher attention = ATTENTION.matcher(row);
    if (attention.matches()) {
      return new AttentionWorkload(
          on,
          number(attention, 1),
          number(attention, 2),
          number(attention, 3),
          number(attention, 4));
    }
    Matcher parts = ROW.matcher(row);
    if (!parts.matches()) {
      throw unknown();
    }
    String what = parts.group(1);
    Sites.Pattern pattern = pattern(parts.group(2));
    Matcher convolution = CONVOLUTION.matcher(what);
    if (convolution.matches()) {
      return new ConvolutionWorkload(
          on, pattern, number(convolution, 1), number(convolution, 2), pass(convolution.group(3)));
    }
    Matcher tower = TOWER.matcher(what);
    if (tower.matches()) {
      return new TowerWorkload(on, pattern, number(tower, 1), pass(tower.group(2)));
    }
    return network(on, what, pattern);
  }

  private Workload network(BenchmarkDevice on, String what, Sites.Pattern pattern) {
    Matcher step = STEP.matcher(what);
    if (step.matches()) {
      ModelConfig config = published(number(step, 1));
      return new StepWorkload(on, pattern, config, RankingLoss.MARGIN, number(step, 2));
    }
    Matcher head = HEAD.matcher(what);
    if (head.matches()) {
      return new HeadWorkload(on, pattern, published(128), number(head, 1));
    }
    Matcher rank = RANK.matcher(what);
    if (rank.matches()) {
      return RankingWorkload.ofSchedules(
          on, pattern, published(128), number(rank, 1), rank.group(2).equals("one by one"));
    }
    Matcher several = RANK_MATRICES.matcher(what);
    if (several.matches()) {
      return RankingWorkload.ofMatrices(
          on,
          pattern,
          published(128),
          number(several, 1),
          number(several, 2),
          several.group(3).equals("one by one"));
    }
    throw unknown();
  }

  private static ModelConfig published(int channels) {
    return ModelConfig.published(ModelKind.AUTOSPARSE, Op.SPMM, channels);
  }

  private Sites.Pattern pattern(String usual) {
    if (!matrix.isEmpty()) {
      return Patterns.of(matrix);
    }
    return Patterns.of(usual.contains(":") ? usual : Path.of(matrices).resolve(usual).toString());
  }

  private static int number(Matcher matcher, int group) {
    return Integer.parseInt(matcher.group(group));
  }

  private static Pass pass(String text) {
    for (Pass pass : Pass.values()) {
      if (pass.toString().equals(text)) {
        return pass;
      }
    }
    throw new InputException(
        "pass " + text + ", expected one of " + java.util.List.of(Pass.values()));
  }

  private InputException unknown() {
    return new InputException(
        "row '" + row + "', expected one such as those that -l -lp lists for TargetBenchmark");
  }
}
