package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.Tensor;

/** A learned row for each index: I32 [N] → [N, width]. */
public final class Embedding {
  private final Variable table;

  /**
   * Makes the table [entries, width].
   *
   * @param weights its starting values
   */
  public Embedding(Parameters.Namespace names, long entries, long width, Initializer weights) {
    this.table = names.create("weight", weights, entries, width);
  }

  /**
   * Looks rows up.
   *
   * @param index I32 [N], each from 0 to entries − 1; host devices refuse another with an {@link
   *     IndexOutOfBoundsException}
   * @return [N, width], real
   */
  public Variable forward(Tape tape, Tensor index) {
    return DenseFunctions.gather(tape, table, index);
  }
}
