package autosparse.trainer.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the program's messages go. */
public final class Terminal {
  private Terminal() {}

  /** Whether standard error is a terminal that can move its cursor. */
  public static boolean isInteractive() {
    if ("dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      // Plain lines are right everywhere.
      return false;
    }
  }
}
