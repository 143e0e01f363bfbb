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
    String suffix = suffix(file);
    String fileName = String.valueOf(file.getFileName());
    String name = fileName.substring(0, fileName.length() - suffix.length());
    return suffix.equals(".csr") ? CsrReader.read(file, name) : MatrixMarketReader.read(file, name);
  }

  /**
   * How large a matrix can be, from its header or size line alone.
   *
   * @throws InputException naming file and line (or field), value, and what was expected
   */
  public static MatrixSize size(Path file) {
    return suffix(file).equals(".csr") ? CsrReader.size(file) : MatrixMarketReader.size(file);
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
