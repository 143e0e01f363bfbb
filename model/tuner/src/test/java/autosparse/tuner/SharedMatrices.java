package autosparse.tuner;

import autosparse.schedule.MatrixReader;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The public matrices beside the checkout; a test that needs them is skipped without them. */
public final class SharedMatrices {
  private SharedMatrices() {}

  /** All that can be read: the binary ones, and the text files that are not broken on purpose. */
  public static List<Path> require() {
    Path data = Path.of(System.getProperty("autosparse.shared", "../shared"), "data");
    String reason = "skipped: no shared data at " + data.toAbsolutePath().normalize();
    if (!Files.exists(data)) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(Files.exists(data), reason);
    List<Path> files = new ArrayList<>();
    for (String folder : List.of("matrices", "mtx")) {
      try (Stream<Path> found = Files.list(data.resolve(folder))) {
        found.filter(SharedMatrices::isGood).sorted().forEach(files::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return files;
  }

  /** A matrix of {@link #require} by its file's name. */
  public static SparsityPattern read(String fileName) {
    return require().stream()
        .filter(file -> file.endsWith(fileName))
        .findFirst()
        .map(MatrixReader::read)
        .orElseThrow();
  }

  private static boolean isGood(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".csr")
        || (name.endsWith(".mtx") && !name.startsWith("mangled") && !name.contains("noheader"));
  }
}
