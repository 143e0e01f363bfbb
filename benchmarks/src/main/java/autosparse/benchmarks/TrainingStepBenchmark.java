package autosparse.benchmarks;

import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.network.CostModels;
import autosparse.engine.HostDevice;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Adam;
import autosparse.layers.PatternPyramid;
import autosparse.layers.RankingLoss;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.SourceLocation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One step of training an SpMM cost model on the CPU engine: tower over one matrix, scores of a
 * batch of random schedules, LambdaRank, backward pass, Adam.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "--enable-native-access=ALL-UNNAMED"})
@State(Scope.Thread)
public class TrainingStepBenchmark {
  /** A matrix file; empty for a generated band. */
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

  /** Worker threads of the CPU engine; 0 for all cores. */
  @Param("0")
  public int threads;

  private HostDevice device;
  private TensorScope scope;
  private CostModel network;
  private PatternPyramid pyramid;
  private Adam optimizer;
  private Selection selection;
  private Tensor labels;
  private Tensor groups;
  private long step;

  /** Makes the network, the schedules and the neighbour maps. */
  @Setup(Level.Trial)
  public void prepare() {
    HostDevice.Options options = HostDevice.Options.defaults();
    device = HostDevice.cpu(threads == 0 ? options : options.withThreads(threads));
    scope = device.root().child("benchmark");
    Sites.Pattern pattern = Patterns.of(matrix);
    Problem problem =
        Problem.of(
            Op.SPMM, pattern.rows(), pattern.columns(), (long) pattern.columnIndices().length);
    RandomStream random = RandomStream.named(1, "schedules");
    List<Schedule> candidates = new ArrayList<>();
    for (int s = 0; s < schedules; s++) {
      candidates.add(randomSchedule(random));
    }
    ModelConfig config =
        new ModelConfig(
            model,
            List.of(Op.SPMM),
            channels,
            ModelConfig.TokenForm.NORMALIZED,
            true,
            1,
            ModelConfig.FeatureAt.TOKEN,
            ModelConfig.Head.COMPACT)
            .withWorkFeatures();
    String name = "benchmark";
    SparsityPattern matrixPattern =
        SparsityPattern.of(
            name,
            Math.toIntExact(pattern.rows()),
            Math.toIntExact(pattern.columns()),
            pattern.rowPointers(),
            pattern.columnIndices());
    ModelStatistics statistics =
        ModelStatistics.fit(task -> task.accept(matrixPattern, problem, candidates), List.of(name));
    network = CostModels.create(config, statistics, scope, 1);
    EncodedTask task = network.encode(matrixPattern, problem, candidates);
    int[] all = new int[schedules];
    Arrays.setAll(all, i -> i);
    selection = new Selection(task, 0, all);
    double[] speeds = new double[schedules];
    Arrays.setAll(speeds, i -> 1 - random.nextDouble());
    labels = scope.reals("labels", MemoryTag.INPUT, speeds);
    groups = scope.longs("groups", MemoryTag.INPUT, new long[] {0, schedules});
    pyramid = network.readsPattern() ? new PatternPyramid(scope, pattern) : null;
    optimizer = new Adam(scope, network.parameters(), Adam.Settings.of(7e-4, 1e-6, false, 0.5));
    step = 0;
  }

  /** A schedule with random loop order and inner sizes; every level of A is compressed. */
  private static Schedule randomSchedule(RandomStream random) {
    int[] axes = {0, 0, 1, 1, 2, 2};
    random.shuffle(axes);
    int[] seen = new int[3];
    StringBuilder loops = new StringBuilder();
    StringBuilder storage = new StringBuilder();
    String parallel = "None";
    for (int axis : axes) {
      String loop = " " + "ikj".charAt(axis) + seen[axis]++;
      loops.append(loop);
      storage.append(axis == 2 ? "" : loop);
      if (parallel.equals("None") && axis != 1) {
        parallel = loop.strip();
      }
    }
    String line =
        "2"
            + split("i", random.nextInt(9))
            + split("k", random.nextInt(9))
            + (" 1 A 4" + storage + " A 4 i0 1 i1 1 k0 1 k1 1 1")
            + split("j", random.nextInt(8))
            + (" 6" + loops + " " + parallel + " None None 0 104 ")
            + (1 << random.nextInt(10));
    return Schedule.parse(line, new SourceLocation("benchmark", 1));
  }

  /** Inner size 2^log; the outer one is nominal. */
  private static String split(String axis, int log) {
    int inner = 1 << log;
    return " %1$s 2 %1$s0 %2$d %1$s1 %3$d".formatted(axis, Math.max(1, 8192 / inner), inner);
  }

  /** One step; JMH's score is steps a second. */
  @Benchmark
  public double step() {
    double loss;
    try (Tape tape = Tape.recording(scope, step++)) {
      Variable pattern = network.pattern(tape, pyramid);
      Variable scores = network.scores(tape, pattern, List.of(selection));
      Variable perGroup = RankingLoss.LAMBDARANK.forward(tape, scores, labels, groups);
      Variable total = LossFunctions.scaledSum(tape, perGroup, 1);
      loss = total.value().item();
      tape.backward(total);
    }
    optimizer.step(1);
    return loss;
  }

  /** Says how much memory it took and gives it back. */
  @TearDown(Level.Trial)
  public void release() {
    System.out.printf("%npeak device memory %.1f MB%n", device.ledger().peakBytes() / 1e6);
    optimizer.close();
    if (pyramid != null) {
      pyramid.close();
    }
    network.close();
    scope.close();
    device.close();
  }
}
