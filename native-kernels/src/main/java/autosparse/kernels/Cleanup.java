package autosparse.kernels;

/** Giving back what was taken before something else failed. */
public final class Cleanup {
  private Cleanup() {}

  /**
   * Gives back one thing; where that fails too, the first failure is the one that is reported.
   *
   * @param failure takes what {@code giveBack} throws as suppressed
   */
  public static void after(RuntimeException failure, Runnable giveBack) {
    try {
      giveBack.run();
    } catch (RuntimeException another) {
      failure.addSuppressed(another);
    }
  }
}
