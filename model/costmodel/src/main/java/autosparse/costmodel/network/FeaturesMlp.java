package autosparse.costmodel.network;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.tokens.Bins;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.WorkFeatures;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.layers.Embedding;
import autosparse.layers.Initializer;
import autosparse.layers.Linear;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.layers.ResidualMlp;
import autosparse.schedule.HeapSize;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The baseline that every table shows: derived features and a learned id of the matrix through four
 * residual blocks of width 512 (reference "Networks", section 6). The id is dropped for a tenth of
 * the training selections, so that a matrix never seen can be ranked without one. {@code work-mlp}
 * reads work features in place of the id: what counts of the pattern are worth without tower and
 * transformer.
 */
final class FeaturesMlp implements CostModel {
  private static final int WIDTH = 512;
  private static final int BLOCKS = 4;
  private static final int ID_WIDTH = 32;
  private static final double KEEP = 0.9;
  private static final double ID_DROP = 0.1;

  private record FeatureTask(float[][] features, int matrixId) implements EncodedTask {
    @Override
    public int size() {
      return features.length;
    }

    @Override
    public long hostBytes() {
      long bytes = HeapSize.references(features.length);
      for (float[] row : features) {
        bytes += HeapSize.array(row.length, Float.BYTES);
      }
      return bytes;
    }
  }

  private final ModelConfig config;
  private final ModelStatistics statistics;
  private final boolean readsWork;
  private final int width;
  private final Bins bins;
  private final Parameters parameters;
  private final Embedding ids;
  private final Linear input;
  private final List<ResidualMlp> blocks = new ArrayList<>();
  private final Linear output;

  FeaturesMlp(ModelConfig config, ModelStatistics statistics, Parameters parameters) {
    this.config = config;
    this.statistics = statistics;
    this.readsWork = config.kind() == ModelKind.WORK_MLP;
    this.width = DerivedFeatures.COUNT + (readsWork ? WorkFeatures.COUNT : 0);
    this.bins = statistics.bins(config, readsWork);
    this.parameters = parameters;
    Initializer weights = Initializer.uniformFanIn();
    // Row 0 is the unknown matrix.
    ids =
        readsWork
            ? null
            : new Embedding(
                parameters.in("matrix"),
                statistics.matrices().size() + 1L,
                ID_WIDTH,
                Initializer.normal(1));
    input =
        new Linear(
            parameters.in("input"),
            width + bins.width() + (readsWork ? 0L : ID_WIDTH),
            WIDTH,
            Activation.IDENTITY,
            weights);
    ResidualMlp.Form form = new ResidualMlp.Form(true, Activation.GELU, Activation.IDENTITY, KEEP);
    for (int b = 0; b < BLOCKS; b++) {
      String name = "block." + b;
      blocks.add(new ResidualMlp(parameters.in(name), name, WIDTH, WIDTH, form, weights));
    }
    output = new Linear(parameters.in("output"), WIDTH, 1, Activation.IDENTITY, weights);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public boolean readsPattern() {
    return false;
  }

  @Override
  public EncodedTask encode(MatrixPattern pattern, Problem problem, List<Schedule> schedules) {
    float[][] rows = new float[schedules.size()][width];
    if (readsWork) {
      ScheduleWork.countAll(pattern.counts(), problem, schedules);
    }
    for (int s = 0; s < rows.length; s++) {
      ScheduleGeometry geometry = ScheduleGeometry.of(schedules.get(s), problem);
      statistics.derived().apply(DerivedFeatures.of(geometry), rows[s], 0);
      if (readsWork) {
        float[] work = WorkFeatures.of(geometry, pattern.counts());
        statistics.work().apply(work, rows[s], DerivedFeatures.COUNT);
      }
    }
    return new FeatureTask(rows, statistics.matrices().indexOf(pattern.name()) + 1);
  }

  @Override
  public Optional<SparseTower> tower() {
    return Optional.empty();
  }

  @Override
  public Variable pattern(Tape tape, List<Variable> pooled) {
    throw new IllegalStateException(config.kind() + " reads no pattern");
  }

  @Override
  public Variable scores(Tape tape, Variable pattern, List<Selection> selections) {
    int count = selections.stream().mapToInt(s -> s.indices().length).sum();
    int read = width + bins.width();
    float[] features = new float[Math.multiplyExact(count, read)];
    int[] matrixIds = new int[count];
    int n = 0;
    for (int s = 0; s < selections.size(); s++) {
      FeatureTask task = (FeatureTask) selections.get(s).task();
      boolean dropped =
          tape.isTraining() && new RandomStream(tape.seed("matrix id " + s)).nextDouble() < ID_DROP;
      for (int index : selections.get(s).indices()) {
        matrixIds[n] = dropped ? 0 : task.matrixId();
        float[] row = task.features()[index];
        System.arraycopy(row, 0, features, n * read, width);
        bins.apply(row, 0, features, n++ * read + width);
      }
    }
    List<Tensor> batch =
        new BatchArrays()
            .reals("features", features, count, read)
            .ints("matrix ids", matrixIds)
            .on(tape.scope());
    Variable x = Variable.constant(batch.get(0));
    if (ids != null) {
      x = DenseFunctions.concatColumns(tape, List.of(x, ids.forward(tape, batch.get(1))));
    }
    x = input.forward(tape, x);
    for (ResidualMlp block : blocks) {
      Variable y = block.forward(tape, x);
      tape.discard(x);
      x = y;
    }
    Variable y = output.forward(tape, x);
    tape.discard(x);
    return DenseFunctions.reshape(tape, y, count);
  }

  @Override
  public double towerMultiplyAdds(PatternPyramid pyramid) {
    return 0;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
