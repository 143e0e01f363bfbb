package autosparse.tuner.format;

/** A packed level would be larger than the storage cap allows. The message is one line. */
public final class StorageCapException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param detail the level, its size and the cap
   */
  public StorageCapException(String detail) {
    super(detail);
  }
}
