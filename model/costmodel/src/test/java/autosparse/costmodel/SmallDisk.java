package autosparse.costmodel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;

/**
 * A disk that is soon full: a tmpfs in a namespace of its own, where any user may mount one. It is
 * there for one {@link #shell} at a time.
 */
public final class SmallDisk {
  private final String mount;

  private SmallDisk(String mount) {
    this.mount = mount;
  }

  /**
   * Makes the folder that the disk is to be mounted on; skips the test, with the reason, where none
   * can be mounted.
   *
   * @param size as mount takes it, such as {@code 16m}
   */
  public static SmallDisk require(Path folder, String size)
      throws IOException, InterruptedException {
    Files.createDirectory(folder);
    SmallDisk disk = new SmallDisk("mount -t tmpfs -o size=" + size + " tmpfs '" + folder + "'");
    String reason = "skipped: no small tmpfs to be had by unshare -rm";
    boolean possible;
    try {
      possible = disk.shell("true").start().waitFor() == 0;
    } catch (IOException e) {
      possible = false;
    }
    if (!possible) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(possible, reason);
    return disk;
  }

  /** A shell that runs a script with the disk mounted, empty at first. */
  public ProcessBuilder shell(String script) {
    return new ProcessBuilder("unshare", "-rm", "sh", "-c", mount + " && " + script);
  }

  /** A command for a script. */
  public static String quoted(List<String> command) {
    return command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
  }
}
