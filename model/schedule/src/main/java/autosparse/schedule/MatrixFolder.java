package autosparse.schedule;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

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
