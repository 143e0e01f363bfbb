package autosparse.tuner.measure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of one measurer, deleted when it closes. A measurer that was killed leaves its folder
 * behind, in memory perhaps; the next one on the same parent folder deletes it: a lock that dies
 * with its holder tells such folders from those in use.
 */
final class WorkFolder implements AutoCloseable {
  private static final String PREFIX = "autosparse-";
  private static final String LOCK = "lock";

  private final Path path;
  private final FileChannel lock;

  private WorkFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes a folder and deletes those that nobody uses any more.
   *
   * @param parent made if it does not exist
   */
  static WorkFolder create(Path parent) throws IOException {
    Files.createDirectories(parent);
    deleteAbandoned(parent);
    // Under another name until it is locked: nobody may take it for abandoned.
    Path making =
        Files.createTempDirectory(
            parent,
            ".making-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    FileChannel channel =
        FileChannel.open(
            making.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      channel.lock();
      Path path = parent.resolve(PREFIX + making.getFileName().toString().substring(8));
      Files.move(making, path);
      return new WorkFolder(path, channel);
    } catch (IOException e) {
      channel.close();
      delete(making);
      throw e;
    }
  }

  private static void deleteAbandoned(Path parent) throws IOException {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        if (Files.isWritable(folder) && isAbandoned(folder.resolve(LOCK))) {
          delete(folder);
        }
      }
    }
  }

  private static boolean isAbandoned(Path lock) throws IOException {
    if (!Files.isWritable(lock)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
        FileLock taken = channel.tryLock()) {
      return taken != null;
    } catch (OverlappingFileLockException e) {
      // Held by another measurer of this process.
      return false;
    }
  }

  /** The folder. */
  Path path() {
    return path;
  }

  /** A file in it. */
  Path resolve(String name) {
    return path.resolve(name);
  }

  /** Deletes a folder and all in it. */
  static void delete(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(folder)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.deleteIfExists(file);
    }
  }

  @Override
  public void close() {
    try (lock) {
      delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path + ": " + e.getMessage(), e);
    }
  }
}
