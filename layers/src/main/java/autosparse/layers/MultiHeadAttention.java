package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;

/**
 * Self-attention over packed sequences: projection to q, k and v, attention, output projection
 * (Vaswani et al., 2017). Sequences of any lengths lie one behind the other, without padding.
 */
public final class MultiHeadAttention {
  private final Linear input;
  private final Linear output;
  private final int heads;

  /**
   * Makes the projections of the input, to q, k and v side by side, and of the output.
   *
   * @param heads a divisor of width
   * @param weights starting values of both weights
   * @throws IllegalArgumentException when it is no divisor
   */
  public MultiHeadAttention(
      Parameters.Namespace names, long width, int heads, Initializer weights) {
    if (heads < 1 || width % heads != 0) {
      throw new IllegalArgumentException(heads + " heads over width " + width);
    }
    this.input = new Linear(names.in("input"), width, 3 * width, Activation.IDENTITY, weights);
    this.output = new Linear(names.in("output"), width, width, Activation.IDENTITY, weights);
    this.heads = heads;
  }

  /**
   * Mixes the tokens of each sequence.
   *
   * @param x [T, width]
   * @param offsets I64 [B+1], the first token of each sequence, then T
   * @return [T, width]
   */
  public Variable forward(Tape tape, Variable x, Tensor offsets) {
    Variable qkv = input.forward(tape, x);
    Variable mixed = DenseFunctions.attention(tape, qkv, offsets, heads);
    tape.discard(qkv);
    Variable y = output.forward(tape, mixed);
    tape.discard(mixed);
    return y;
  }
}
