package autosparse.trainer.run;

import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a job end at a good moment when the user presses Ctrl-C or the system sends SIGTERM.
 *
 * <p>The Java runtime answers both signals by running its shutdown hooks while the job's thread
 * goes on. The hook here raises the flag {@link #requested()}, which the job polls, and waits until
 * the command has ended and called {@link #finish}; then it ends the process with the command's
 * exit code. The runtime starts one thread per signal, {@code "SIGINT handler"}, which waits for
 * the hooks; so a second one is the user insisting, and the process ends at once.
 *
 * <p>A command that has not called {@link #arm} is ended by the runtime as usual.
 */
public final class Interrupts {
  /** Exit code of an interrupted command, as shells have it: 128 + SIGINT. */
  public static final int EXIT_CODE = 130;

  private static final long POLL_MILLIS = 50;

  private final PrintStream err;
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onShutdown, "interrupts");
  private volatile boolean requested;
  private volatile boolean armed;
  private volatile int exitCode = EXIT_CODE;

  /** Nothing happens before {@link #arm}. */
  public Interrupts(PrintStream err) {
    this.err = err;
  }

  /** From now on a signal raises the flag instead of ending the process. */
  public void arm() {
    if (!armed) {
      armed = true;
      Runtime.getRuntime().addShutdownHook(hook);
    }
  }

  /** Whether the job should save and end. */
  public boolean requested() {
    return requested;
  }

  /**
   * The command has ended and everything is saved and printed. Must be called before {@link
   * System#exit} once armed.
   *
   * @param code exit code of the command
   */
  public void finish(int code) {
    if (!armed) {
      return;
    }
    exitCode = code;
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shutdownHasBegun) {
      // The hook is waiting for this.
      finished.countDown();
      return;
    }
    finished.countDown();
  }

  private void onShutdown() {
    int signals = signalThreads();
    requested = true;
    err.println("interrupted: ending after this step and saving; Ctrl-C again ends at once");
    try {
      while (!finished.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        if (signalThreads() > signals) {
          Runtime.getRuntime().halt(EXIT_CODE);
        }
      }
    } catch (InterruptedException e) {
      Runtime.getRuntime().halt(EXIT_CODE);
    }
    Runtime.getRuntime().halt(exitCode);
  }

  private static int signalThreads() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    Thread[] threads = new Thread[group.activeCount() * 2 + 16];
    int count = group.enumerate(threads, true);
    int signals = 0;
    for (int i = 0; i < count; i++) {
      String name = threads[i].getName();
      if (name.equals("SIGINT handler") || name.equals("SIGTERM handler")) {
        signals++;
      }
    }
    return signals;
  }
}
