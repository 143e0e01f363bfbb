package autosparse.costmodel;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Public data beside the checkout; a test that needs it is skipped, with the reason, without it.
 */
public final class SharedData {
  private SharedData() {}

  /** A path under the shared data folder, e.g. {@code records/spmm}. */
  public static Path require(String path) {
    Path found = Path.of(System.getProperty("autosparse.shared", "../shared"), "data", path);
    String reason = "skipped: no shared data at " + found.toAbsolutePath().normalize();
    if (!Files.exists(found)) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(Files.exists(found), reason);
    return found;
  }
}
