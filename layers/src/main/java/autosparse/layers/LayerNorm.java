package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;

/** Layer normalisation of rows (Ba, Kiros, Hinton, 2016): x [N, width] → [N, width]. */
public final class LayerNorm {
  /** Added to the variance. */
  public static final double EPSILON = 1e-5;

  private final Variable gamma;
  private final Variable beta;

  /** Makes a weight [width], which starts at 1, and a bias [width], at 0. */
  public LayerNorm(Parameters.Namespace names, long width) {
    this.gamma = names.create("weight", Initializer.constant(1), width);
    this.beta = names.create("bias", Initializer.constant(0), width);
  }

  /**
   * Brings each row to mean 0 and variance 1, then scales and shifts its columns.
   *
   * @param x [N, width]
   * @return [N, width]
   */
  public Variable forward(Tape tape, Variable x) {
    return DenseFunctions.layerNorm(tape, x, gamma, beta, EPSILON);
  }
}
