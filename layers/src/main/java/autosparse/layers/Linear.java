package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.operators.Activation;

/** y = activation(x·Wᵀ + b): x [N, in] → [N, out]. */
public final class Linear {
  private final Variable weight;
  private final Variable bias;
  private final Activation activation;

  /**
   * Makes a weight [out, in] and a bias [out], which starts at 0.
   *
   * @param weights starting values of the weight
   */
  public Linear(
      Parameters.Namespace names, long in, long out, Activation activation, Initializer weights) {
    this.weight = names.create("weight", weights, out, in);
    this.bias = names.create("bias", Initializer.constant(0), out);
    this.activation = activation;
  }

  /** x [N, in] → [N, out]. */
  public Variable forward(Tape tape, Variable x) {
    return DenseFunctions.linear(tape, x, weight, bias, activation);
  }
}
