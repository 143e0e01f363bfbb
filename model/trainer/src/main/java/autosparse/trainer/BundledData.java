package autosparse.trainer;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The data set that the program carries: matrices made by {@code generate}, schedules measured on
 * them by {@code collect}. In the jar it is a folder of resources with an index, {@code
 * sha256sum}'s output; unpacked, it is a data set folder like any other.
 */
final class BundledData {
  private static final String INDEX = "index.txt";

  /**
   * One file of the data set.
   *
   * @param path relative to the data set's folder
   */
  private record Entry(String sha256, String path) {}

  private final Class<?> anchor;
  private final String root;

  private BundledData(Class<?> anchor, String root) {
    this.anchor = anchor;
    this.root = root;
  }

  /** The product's own. */
  static BundledData ofProduct() {
    return new BundledData(BundledData.class, "bundled/");
  }

  /** Another one, for tests. */
  static BundledData of(Class<?> anchor, String root) {
    return new BundledData(anchor, root);
  }

  /**
   * Makes {@code directory} hold the data set: unpacks it, or sees that it is there already. The
   * folder appears whole or not at all.
   *
   * @throws InputException if the folder holds something else
   * @throws FileWriteException if it cannot be written
   */
  void unpackTo(Path directory) {
    List<Entry> entries = index();
    if (Files.exists(directory)) {
      requireUnpacked(directory, entries);
      return;
    }
    Path parent = directory.toAbsolutePath().getParent();
    Path temporary = null;
    try {
      Files.createDirectories(parent);
      temporary = Files.createTempDirectory(parent, directory.getFileName() + ".");
      for (Entry entry : entries) {
        unpack(entry, temporary.resolve(entry.path()));
      }
      Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failure) {
      deleteAll(temporary, failure);
      throw new FileWriteException(directory, failure);
    } catch (RuntimeException failure) {
      deleteAll(temporary, failure);
      throw failure;
    }
  }

  private void unpack(Entry entry, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    try (InputStream in = resource(entry.path());
        OutputStream out = Files.newOutputStream(file)) {
      in.transferTo(out);
    }
    if (!sha256(file).equals(entry.sha256())) {
      throw new IllegalStateException(
          "bundled data: " + entry.path() + " does not match " + INDEX + ": the jar is damaged");
    }
  }

  private static void requireUnpacked(Path directory, List<Entry> entries) {
    for (Entry entry : entries) {
      Path file = directory.resolve(entry.path());
      try {
        if (!Files.isRegularFile(file) || !sha256(file).equals(entry.sha256())) {
          throw new InputException(
              directory
                  + ": "
                  + entry.path()
                  + " is missing or another, expected the bundled data set; delete the folder or"
                  + " name another one");
        }
      } catch (IOException e) {
        throw new InputException(file + ": cannot be read (" + e.getMessage() + ")", e);
      }
    }
  }

  private List<Entry> index() {
    try (InputStream in = resource(INDEX)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("  ", 2))
          .map(parts -> new Entry(parts[0], parts[1]))
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException("bundled data: the jar is damaged", e);
    }
  }

  private InputStream resource(String path) throws IOException {
    InputStream in = anchor.getResourceAsStream(root + path);
    if (in == null) {
      throw new IOException(root + path + " is not in the jar");
    }
    return in;
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static void deleteAll(Path directory, Throwable failure) {
    if (directory == null) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
