package autosparse.trainer.run;

import java.io.PrintStream;

/** Shows how far a long job is. Close it when the job ends, however it ends. */
public interface Progress extends AutoCloseable {
  /**
   * Says how much is done.
   *
   * @param done units done so far
   * @param note shown behind, e.g. {@code loss 0.123}
   */
  void update(long done, String note);

  /** Prints a line of its own, without disturbing the bar. */
  void message(String line);

  @Override
  void close();

  /**
   * A bar where {@code out} is a terminal, plain lines otherwise.
   *
   * @param task what is being done, e.g. {@code train}
   * @param done units done already, by a run that is resumed
   * @param total units in all; 0 if that is not known
   */
  static Progress start(PrintStream out, boolean terminal, String task, long done, long total) {
    return terminal
        ? new BarProgress(out, task, done, total)
        : new LineProgress(out, task, done, total);
  }
}
