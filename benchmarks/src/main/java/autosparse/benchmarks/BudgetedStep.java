package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.memory.PyramidOnDemand;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerPass;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Adam;
import autosparse.layers.RankingLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A training step whose tower is run by a strategy, on a device or on a plan of it. Neighbour maps
 * are made in each step, the head is run on the step's tape: all that a step takes is in its plan.
 *
 * <p>The schedules are those of a small matrix: of the one that the tower reads, which may be in no
 * memory, the head sees the tower's features only.
 */
final class BudgetedStep implements AutoCloseable {
  private static final int ROWS_OF_SCHEDULES = 1000;

  private final TensorScope scope;
  private final RankingNetwork network;
  private final RankingStep ranking;
  private final Adam optimizer;
  private long step;

  BudgetedStep(Device device, ModelConfig config, RankingLoss loss, int schedules) {
    scope = device.root().child("step");
    network = new RankingNetwork(scope, config, List.of(diagonal()), schedules);
    ranking = RankingStep.onTape(scope, network, loss);
    optimizer =
        new Adam(scope, network.model().parameters(), Adam.Settings.of(7e-4, 1e-6, false, 0.5));
  }

  private static Sites.Pattern diagonal() {
    return new Sites.Pattern(
        ROWS_OF_SCHEDULES,
        ROWS_OF_SCHEDULES,
        LongStream.rangeClosed(0, ROWS_OF_SCHEDULES).toArray(),
        IntStream.range(0, ROWS_OF_SCHEDULES).toArray());
  }

  SparseTower tower() {
    return network.model().tower().orElseThrow();
  }

  /** Runs one step and waits for its loss. */
  double run(TowerStrategy strategy, RowSource matrix) {
    onPass(strategy, matrix, this::run);
    return ranking.loss();
  }

  private void onPass(TowerStrategy strategy, RowSource matrix, Consumer<TowerPass> work) {
    List<RowSource> batch = List.of(matrix);
    try (PyramidOnDemand whole = new PyramidOnDemand(scope, batch)) {
      work.accept(TowerPass.of(strategy, tower(), scope, batch, whole));
    }
  }

  private void run(TowerPass pass) {
    backward(pass);
    step++;
    optimizer.step(1);
  }

  private void backward(TowerPass pass) {
    try (Tape tape = Tape.recording(scope, step)) {
      ranking.run(tape, network.model().pattern(tape, pass.pooled(tape)));
      pass.finish();
    }
  }

  /** What a step of these weights would change them by, which leaves them as they are. */
  StepGradients gradients(TowerStrategy strategy, RowSource matrix) {
    onPass(strategy, matrix, this::backward);
    return gradients(ranking.loss());
  }

  /**
   * As {@link #gradients}, of the tower alone, where each average has a gradient of 1: averages
   * that differ in their last bits open and close ReLUs of the head, which changes gradients at
   * once.
   */
  StepGradients towerGradients(TowerStrategy strategy, RowSource matrix) {
    onPass(
        strategy,
        matrix,
        pass -> {
          try (Tape tape = Tape.recording(scope, step)) {
            for (Variable average : pass.pooled(tape)) {
              tape.gradient(average, g -> scope.device().operators().elementwise().fill(g, 1));
            }
            tape.backward();
            pass.finish();
          }
        });
    return gradients(0);
  }

  private StepGradients gradients(double loss) {
    StepGradients gradients = StepGradients.of(loss, network.model().parameters());
    network.model().parameters().zeroGradients();
    return gradients;
  }

  /** The ways to run a step of this, which is on a planning device, on a matrix. */
  StrategySearch search(RowSource matrix) {
    PlanningDevice device = (PlanningDevice) scope.device();
    return new StrategySearch(
        device,
        tower(),
        List.of(matrix),
        true,
        headBytes(device),
        strategy -> run(strategy, matrix));
  }

  /** What a step takes besides its tower, weights and optimiser. */
  private long headBytes(PlanningDevice device) {
    long before = device.allocator().liveBytes();
    device.allocator().resetPeak();
    run(
        (TowerPass)
            tape -> {
              List<Variable> averages = new ArrayList<>();
              for (int layer = 0; layer < tower().size(); layer++) {
                averages.add(
                    Variable.leaf(average(tape.scope(), layer), average(tape.scope(), layer)));
              }
              return averages;
            });
    return device.allocator().peakBytes() - before;
  }

  private Tensor average(TensorScope tape, int layer) {
    return tape.zeros("averages", MemoryTag.ACTIVATION, 1, tower().channels(layer));
  }

  @Override
  public void close() {
    optimizer.close();
    ranking.close();
    network.close();
    scope.close();
  }
}
