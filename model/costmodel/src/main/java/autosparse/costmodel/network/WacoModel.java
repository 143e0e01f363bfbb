package autosparse.costmodel.network;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.tokens.Tokenizer;
import autosparse.costmodel.tokens.WacoProjection;
import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.layers.Embedding;
import autosparse.layers.Initializer;
import autosparse.layers.Linear;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.HeapSize;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * WACONet as published (reference "Networks", section 1), for one operator. Its predictor says
 * LOWER = faster; {@link #scores} turns the sign.
 */
final class WacoModel implements CostModel, FixedHead {
  private static final int EMBEDDING = 32;
  private static final int SHAPE_INPUTS = 3;

  private record WacoTask(float[] shape, int[][] categories, float[][] orders)
      implements EncodedTask {
    @Override
    public int size() {
      return categories.length;
    }

    @Override
    public long hostBytes() {
      long bytes = HeapSize.references(categories.length) + HeapSize.references(orders.length);
      for (int s = 0; s < categories.length; s++) {
        bytes += HeapSize.array(categories[s].length, Integer.BYTES);
        bytes += HeapSize.array(orders[s].length, Float.BYTES);
      }
      return bytes;
    }
  }

  private final ModelConfig config;
  private final ModelStatistics statistics;
  private final WacoProjection projection;
  private final Parameters parameters;
  private final SparseTower tower;
  private final Linear shapeHidden;
  private final Linear shape;
  private final Linear matrixHidden;
  private final Linear matrix;
  private final List<Embedding> categories = new ArrayList<>();
  private final Linear order;
  private final Linear scheduleHidden;
  private final Linear schedule;
  private final List<Linear> predictor = new ArrayList<>();

  WacoModel(ModelConfig config, ModelStatistics statistics, Parameters parameters) {
    this.config = config;
    this.statistics = statistics;
    this.parameters = parameters;
    Op op = config.ops().get(0);
    this.projection = new WacoProjection(op);
    Initializer weights = Initializer.uniformFanIn();
    tower = SparseTower.waco(parameters.in("tower"), config.channels());
    shapeHidden =
        new Linear(parameters.in("shape.hidden"), SHAPE_INPUTS, 64, Activation.RELU, weights);
    shape = new Linear(parameters.in("shape.output"), 64, EMBEDDING, Activation.IDENTITY, weights);
    int pooled = tower.pooledChannels();
    matrixHidden =
        new Linear(
            parameters.in("matrix.hidden"), pooled + EMBEDDING, 256, Activation.RELU, weights);
    matrix = new Linear(parameters.in("matrix.output"), 256, 128, Activation.IDENTITY, weights);
    List<Integer> sizes = projection.categorySizes();
    for (int c = 0; c < sizes.size(); c++) {
      categories.add(
          new Embedding(
              parameters.in("schedule." + projection.categoryName(c)),
              sizes.get(c),
              EMBEDDING,
              Initializer.normal(1)));
    }
    order =
        new Linear(
            parameters.in("schedule.order"),
            projection.orderLength(),
            EMBEDDING,
            Activation.IDENTITY,
            weights);
    int joined = (sizes.size() + 1) * EMBEDDING;
    scheduleHidden =
        new Linear(parameters.in("schedule.hidden"), joined, 128, Activation.RELU, weights);
    schedule = new Linear(parameters.in("schedule.output"), 128, 128, Activation.IDENTITY, weights);
    int[] widths = {256, 128, 64, 1};
    for (int layer = 0; layer + 1 < widths.length; layer++) {
      predictor.add(
          new Linear(
              parameters.in("predictor." + layer),
              widths[layer],
              widths[layer + 1],
              layer + 2 < widths.length ? Activation.RELU : Activation.IDENTITY,
              weights));
    }
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
    return true;
  }

  @Override
  public EncodedTask encode(MatrixPattern pattern, Problem problem, List<Schedule> schedules) {
    float[] raw = Tokenizer.shape(problem);
    float[] standardised = new float[raw.length];
    statistics.shape().apply(raw, standardised, 0);
    int[][] chosen = new int[schedules.size()][];
    float[][] orders = new float[schedules.size()][];
    for (int s = 0; s < chosen.length; s++) {
      WacoProjection.Projected projected = projection.project(schedules.get(s), problem);
      chosen[s] = projected.categories();
      orders[s] = projected.order();
    }
    return new WacoTask(Arrays.copyOf(standardised, SHAPE_INPUTS), chosen, orders);
  }

  @Override
  public Optional<SparseTower> tower() {
    return Optional.of(tower);
  }

  @Override
  public Variable pattern(Tape tape, List<Variable> pooled) {
    return DenseFunctions.concatColumns(tape, pooled);
  }

  @Override
  public Variable scores(Tape tape, Variable pattern, List<Selection> selections) {
    return scoresOf(tape, pattern, batch(selections, 1).on(tape.scope()));
  }

  @Override
  public Optional<FixedHead> fixedHead() {
    return Optional.of(this);
  }

  /** Shape inputs, matrix of each selection, selection of each schedule, orders, categories. */
  @Override
  public BatchArrays batch(List<Selection> selections, int rowMultiple) {
    int count = selections.stream().mapToInt(s -> s.indices().length).sum();
    int length = projection.orderLength();
    int[] selectionOf = new int[count];
    int[] matrixOf = new int[selections.size()];
    float[] shapes = new float[selections.size() * SHAPE_INPUTS];
    float[] orders = new float[count * length];
    int[][] columns = new int[categories.size()][count];
    int n = 0;
    for (int s = 0; s < selections.size(); s++) {
      WacoTask task = (WacoTask) selections.get(s).task();
      matrixOf[s] = selections.get(s).matrix();
      System.arraycopy(task.shape(), 0, shapes, s * SHAPE_INPUTS, SHAPE_INPUTS);
      for (int index : selections.get(s).indices()) {
        selectionOf[n] = s;
        System.arraycopy(task.orders()[index], 0, orders, n * length, length);
        for (int c = 0; c < columns.length; c++) {
          columns[c][n] = task.categories()[index][c];
        }
        n++;
      }
    }
    BatchArrays arrays =
        new BatchArrays()
            .reals("shapes", shapes, selections.size(), SHAPE_INPUTS)
            .ints("matrix of selection", matrixOf)
            .ints("selection of schedule", selectionOf)
            .reals("orders", orders, count, length);
    for (int c = 0; c < columns.length; c++) {
      arrays.ints("category " + c, columns[c]);
    }
    return arrays;
  }

  @Override
  public Variable scoresOf(Tape tape, Variable pattern, List<Tensor> batch) {
    Variable pools = DenseFunctions.gather(tape, pattern, batch.get(1));
    Variable query = query(tape, pools, Variable.constant(batch.get(0)));
    Tensor selectionOf = batch.get(2);
    Variable perSchedule = DenseFunctions.gather(tape, query, selectionOf);
    List<Tensor> columns = batch.subList(4, batch.size());
    Variable key = scheduleEmbedding(tape, columns, Variable.constant(batch.get(3)));
    Variable x = DenseFunctions.concatColumns(tape, List.of(perSchedule, key));
    for (Linear layer : predictor) {
      x = layer.forward(tape, x);
    }
    return LossFunctions.scale(tape, DenseFunctions.reshape(tape, x, selectionOf.dim(0)), -1);
  }

  /**
   * A matrix's half of the predictor's input.
   *
   * @param pools from {@link #pattern}, [M, 14·C]
   * @param shapes standardised rows, columns, nnz, [M, 3]
   * @return [M, 128]
   */
  Variable query(Tape tape, Variable pools, Variable shapes) {
    Variable shapeEmbedding = shape.forward(tape, shapeHidden.forward(tape, shapes));
    Variable joined = DenseFunctions.concatColumns(tape, List.of(pools, shapeEmbedding));
    return matrix.forward(tape, matrixHidden.forward(tape, joined));
  }

  /**
   * A schedule's half of the predictor's input.
   *
   * @param columns index of each category, each I32 [N]
   * @param orders loop orders, [N, variables · positions]
   * @return [N, 128]
   */
  Variable scheduleEmbedding(Tape tape, List<Tensor> columns, Variable orders) {
    List<Variable> parts = new ArrayList<>();
    for (int c = 0; c < columns.size(); c++) {
      if (c == projection.orderPlace()) {
        parts.add(order.forward(tape, orders));
      }
      parts.add(categories.get(c).forward(tape, columns.get(c)));
    }
    Variable joined = DenseFunctions.concatColumns(tape, parts);
    return schedule.forward(tape, scheduleHidden.forward(tape, joined));
  }

  @Override
  public double towerMultiplyAdds(PatternPyramid pyramid) {
    return tower.multiplyAdds(pyramid);
  }

  @Override
  public void close() {
    parameters.close();
  }
}
