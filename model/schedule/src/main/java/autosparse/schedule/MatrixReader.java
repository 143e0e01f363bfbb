package autosparse.schedule;

import java.nio.file.Path;
import java.util.List;

/**
 * Reads sparsity patterns. To add a format, add its suffix to {@link #SUFFIXES} and a case to
 * {@link #read} and {@link #size}.
 */
public final class MatrixReader {
  /**
   * Suffixes of the files that can be read, in the order in which a folder is searched for them.
   */
  public static final List<String> SUFFIXES = List.of(".csr", ".mtx", ".mtx.gz");

  private MatrixReader() {}

  /**
   * Reads a matrix; the suffix says how.
   *
   * @return the pattern, named after the file
   * @throws InputException naming file and line (or field), value, and what was expected
   */
  public static SparsityPattern read(Path file) {
    if (!isCsr(file)) {
      return MatrixMarketReader.read(file, name(file));
    }
    try (CsrFile csr = CsrFile.open(file)) {
      return csr.whole();
    }
  }

  /**
   * How large a matrix can be, from its header or size line alone.
   *
   * @throws InputException naming file and line (or field), value, and what was expected
   */
  public static MatrixSize size(Path file) {
    if (!isCsr(file)) {
      return MatrixMarketReader.size(file);
    }
    try (CsrFile csr = CsrFile.open(file)) {
      return new MatrixSize(csr.rows(), csr.cols(), csr.nnz(), 0);
    }
  }

  /** Whether the suffix is that of a file that can be read. */
  static boolean isMatrix(Path file) {
    return SUFFIXES.stream().anyMatch(String.valueOf(file.getFileName())::endsWith);
  }

  /** Whether the suffix is that of the format that can be read by ranges of rows. */
  static boolean isCsr(Path file) {
    return suffix(file).equals(SUFFIXES.get(0));
  }

  /** The name of a file's matrix: the file's own without its suffix. */
  static String name(Path file) {
    String fileName = String.valueOf(file.getFileName());
    return fileName.substring(0, fileName.length() - suffix(file).length());
  }

  private static String suffix(Path file) {
    String fileName = String.valueOf(file.getFileName());
    return SUFFIXES.stream()
        .filter(fileName::endsWith)
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    file + ": unknown kind of matrix file, expected one of " + SUFFIXES));
  }
}
