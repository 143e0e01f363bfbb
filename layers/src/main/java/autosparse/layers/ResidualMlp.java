package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.operators.Activation;

/** x + MLP(x): rows [N, width] → [N, width], one hidden layer. */
public final class ResidualMlp {
  /**
   * Form of the block.
   *
   * @param normalized whether x is layer-normalised before the MLP
   * @param inner activation of the hidden layer
   * @param outer activation of the MLP's output, before the sum
   * @param keep probability that dropout keeps a hidden value
   */
  public record Form(boolean normalized, Activation inner, Activation outer, double keep) {
    /** As AutoSparseNet publishes it: no normalisation, ReLU after both layers. */
    public static final Form PUBLISHED = new Form(false, Activation.RELU, Activation.RELU, 1);
  }

  private final LayerNorm norm;
  private final Linear up;
  private final Linear down;
  private final Form form;
  private final String stream;

  /**
   * Makes the layers up and down, and the normalisation where the form has one.
   *
   * @param stream name of dropout's random stream, of its own for each block
   * @param width of the rows, in and out
   * @param hidden width of the hidden layer
   * @param weights starting values of both weights
   */
  public ResidualMlp(
      Parameters.Namespace names,
      String stream,
      long width,
      long hidden,
      Form form,
      Initializer weights) {
    this.norm = form.normalized() ? new LayerNorm(names.in("norm"), width) : null;
    this.up = new Linear(names.in("up"), width, hidden, form.inner(), weights);
    this.down = new Linear(names.in("down"), hidden, width, form.outer(), weights);
    this.form = form;
    this.stream = stream;
  }

  /** x [N, width] → [N, width]; x itself stays as it is. */
  public Variable forward(Tape tape, Variable x) {
    Variable normalized = norm == null ? x : norm.forward(tape, x);
    Variable hidden = up.forward(tape, normalized);
    if (norm != null) {
      tape.discard(normalized);
    }
    Variable kept = DenseFunctions.dropout(tape, hidden, form.keep(), stream);
    if (kept != hidden) {
      tape.discard(hidden);
    }
    Variable change = down.forward(tape, kept);
    tape.discard(kept);
    Variable y = DenseFunctions.add(tape, x, change);
    tape.discard(change);
    return y;
  }
}
