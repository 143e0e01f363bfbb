package autosparse.schedule;

import java.nio.file.Path;

/**
 * Where a piece of input came from.
 *
 * @param file path of the file, or another name of the source such as {@code --schedule}
 * @param line line number, counted from 1; 0 means the source as a whole
 */
public record SourceLocation(String file, long line) {
  /** Throws {@link IllegalArgumentException} if {@code line} is negative. */
  public SourceLocation {
    if (line < 0) {
      throw new IllegalArgumentException("line " + line + " of " + file + ", expected >= 0");
    }
  }

  /** A file as a whole. */
  public static SourceLocation of(Path file) {
    return new SourceLocation(file.toString(), 0);
  }

  /** One line of a file, counted from 1. */
  public static SourceLocation of(Path file, long line) {
    return new SourceLocation(file.toString(), line);
  }

  /** {@code file:line}, or {@code file} alone for the whole source. */
  @Override
  public String toString() {
    return line == 0 ? file : file + ":" + line;
  }
}
