package autosparse.costmodel.training;

/**
 * A step or pass in the middle of a run that the memory budget does not hold, however it is run.
 * What does not fit before the first kernel is bad input; this is a run that failed.
 */
public final class OutOfBudgetException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what takes how many bytes, and the budget that would do; one line
   */
  OutOfBudgetException(String message) {
    super("in the middle of the run: " + message);
  }
}
