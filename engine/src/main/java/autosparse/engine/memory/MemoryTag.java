package autosparse.engine.memory;

/** What an allocation is for; every memory report is a sum over these. */
public enum MemoryTag {
  /** Parameters of a network. */
  WEIGHTS,
  /** Gradients of parameters, which passes add to. */
  GRADIENTS,
  /** Moments and averages of parameters. */
  OPTIMIZER,
  /** Active coordinates of a level. */
  SITES,
  /** Neighbour maps and masks made from sites. */
  KERNEL_MAP,
  /** Values that the backward pass needs. */
  ACTIVATION,
  /** Tokens, labels and other data of one step. */
  INPUT,
  /** Temporaries that no one needs after the operator or the backward step that made them. */
  WORKSPACE;

  /** Temporaries are placed from the end of the range, so that they never fragment the stack. */
  public boolean isTemporary() {
    return this == WORKSPACE;
  }
}
