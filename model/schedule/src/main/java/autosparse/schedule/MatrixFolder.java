package autosparse.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder of matrices, found by name.
 *
 * @param directory the folder
 */
public record MatrixFolder(Path directory) {
  /**
   * Opens a folder.
   *
   * @throws InputException if it is none
   */
  public static MatrixFolder open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new InputException(directory + ": no such folder, expected one with matrices");
    }
    return new MatrixFolder(directory);
  }

  /** The file of a matrix: the first that exists of NAME.csr, NAME.mtx, NAME.mtx.gz. */
  public Optional<Path> find(String name) {
    for (String suffix : MatrixReader.SUFFIXES) {
      Path file = directory.resolve(name + suffix);
      if (Files.isRegularFile(file)) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  /**
   * The files of all matrices, in the order of their paths: of those of one name the one that
   * {@link #find} gives.
   *
   * @throws InputException if the folder cannot be read
   */
  public List<Path> files() {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(MatrixReader::isMatrix)
          .flatMap(file -> find(MatrixReader.name(file)).stream())
          .distinct()
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new InputException(directory + ": cannot be read (" + e + ")", e);
    }
  }

  /**
   * The file of the matrix that a record file is about.
   *
   * @throws InputException naming the record file and this folder, if there is none
   */
  public Path require(String name, Path recordFile) {
    return find(name)
        .orElseThrow(
            () ->
                new InputException(
                    recordFile
                        + ": its matrix "
                        + name
                        + " is missing, expected "
                        + name
                        + String.join(" or " + name, MatrixReader.SUFFIXES)
                        + " in "
                        + directory));
  }

  /**
   * Reads the matrix that a record file is about.
   *
   * @throws InputException if there is none, or it cannot be read
   */
  public SparsityPattern read(String name, Path recordFile) {
    return MatrixReader.read(require(name, recordFile));
  }
}
