package autosparse.engine.memory;

/** A memory budget that a device cannot keep; the message says which one would do. */
public final class MemoryBudgetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public MemoryBudgetException(String message) {
    super(message);
  }
}
