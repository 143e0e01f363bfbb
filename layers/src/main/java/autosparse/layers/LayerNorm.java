package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;

/** Layer normalisation of rows: x [N, C] → [N, C]. */
public final class LayerNorm {
  /** Added to the variance. */
  public static final double EPSILON = 1e-5;

  private final Variable gamma;
  private final Variable beta;

  public LayerNorm(Parameters.Namespace names, long width) {
    this.gamma = names.create("weight", Initializer.constant(1), width);
    this.beta = names.create("bias", Initializer.constant(0), width);
  }

  public Variable forward(Tape tape, Variable x) {
    return DenseFunctions.layerNorm(tape, x, gamma, beta, EPSILON);
  }
}
