package autosparse.layers;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.ElementwiseOperators;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Exponential moving average of a network's weights over its steps (Polyak and Juditsky, 1992, with
 * a horizon): weights count for 1/e of the newest ones when they are {@code horizon} steps old. It
 * is corrected for its start (as Adam's moments are), so that it is an average of real weights
 * after any number of steps: Σ dᵗ⁻ˢ·wₛ / Σ dᵗ⁻ˢ over the steps s = 1…t, d = e^(−1/horizon). Before
 * the first step it is the weights that the network starts from.
 */
public final class WeightAverage implements AutoCloseable {
  private final TensorScope scope;
  private final Parameters parameters;
  private final double horizon;
  private final Map<String, Tensor> averages = new LinkedHashMap<>();

  /**
   * Makes averages of the parameters there are by now; they take as much memory as these.
   *
   * @param parent of the scope that holds the averages
   * @param horizon in steps, above 0
   * @throws IllegalArgumentException when it is not
   */
  public WeightAverage(TensorScope parent, Parameters parameters, double horizon) {
    if (!(horizon > 0)) {
      throw new IllegalArgumentException("horizon of " + horizon + " steps: expected > 0");
    }
    this.scope = parent.child("weight average");
    this.parameters = parameters;
    this.horizon = horizon;
    parameters
        .byName()
        .forEach(
            (name, parameter) ->
                averages.put(
                    name,
                    scope.real(
                        name + " average",
                        MemoryTag.OPTIMIZER,
                        parameter.value().shape().toArray())));
    copy(parameters.values(), tensors());
  }

  /**
   * What the weights of a step count for in the average that takes them in.
   *
   * @param step number of the step, from 1
   */
  double share(long step) {
    return StrictMath.expm1(-1 / horizon) / StrictMath.expm1(-step / horizon);
  }

  /**
   * Runs work that reads the weights only, such as an evaluation, with the averages in their place;
   * afterwards the weights are what they were, to the bit. It takes no memory and the time of three
   * copies: between steps the gradients are zero, so that they can hold the weights meanwhile.
   */
  public <T> T inPlaceOfWeights(Supplier<T> work) {
    copy(parameters.values(), parameters.gradients());
    try (Restoring restoring = this::restore) {
      copy(tensors(), parameters.values());
      return work.get();
    }
  }

  private interface Restoring extends AutoCloseable {
    @Override
    void close();
  }

  private void restore() {
    copy(parameters.gradients(), parameters.values());
    parameters.zeroGradients();
  }

  /** The averages, in the order of the parameters. */
  List<Tensor> tensors() {
    return new ArrayList<>(averages.values());
  }

  private void copy(List<Tensor> from, List<Tensor> to) {
    ElementwiseOperators elementwise = scope.device().operators().elementwise();
    Iterator<Tensor> target = to.iterator();
    from.forEach(source -> elementwise.copy(source, target.next()));
  }

  /** The averages, under the names of their parameters. */
  public StateDict stateDict() {
    return new StateDict(averages);
  }

  /** Frees the averages. */
  @Override
  public void close() {
    scope.close();
  }
}
