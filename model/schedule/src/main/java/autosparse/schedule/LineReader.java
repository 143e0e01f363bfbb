package autosparse.schedule;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The lines of a text file, gzipped where its name ends in .gz, with their numbers. Streams; holds
 * one line at a time. Whatever is wrong with the file becomes an {@link InputException} naming file
 * and line.
 */
final class LineReader implements Closeable {
  /** A longer line is no line of ours but a binary file, which must not fill the memory. */
  private static final int MAX_LINE = 1 << 20;

  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER];
  private byte[] line = new byte[512];
  private int position;
  private int limit;
  private long number;

  private LineReader(Path file, InputStream in) {
    this.file = file;
    this.in = in;
  }

  static LineReader open(Path file) {
    try {
      InputStream raw = Files.newInputStream(file);
      try {
        boolean zipped = file.getFileName().toString().endsWith(".gz");
        return new LineReader(file, zipped ? new GZIPInputStream(raw, BUFFER) : raw);
      } catch (IOException broken) {
        raw.close();
        throw broken;
      }
    } catch (IOException broken) {
      throw failure(file, 1, broken);
    }
  }

  /** The next line in Latin-1 without its line break (LF or CR LF), or null after the last. */
  String next() {
    int length = nextBytes();
    return length < 0 ? null : new String(line, 0, length, StandardCharsets.ISO_8859_1);
  }

  /** Reads the next line into {@link #bytes()}; its length, or -1 after the last. */
  int nextBytes() {
    int length = 0;
    boolean any = false;
    try {
      while (true) {
        if (position == limit) {
          limit = in.read(buffer, 0, BUFFER);
          position = 0;
          if (limit <= 0) {
            limit = 0;
            break;
          }
        }
        any = true;
        int start = position;
        while (position < limit && buffer[position] != '\n') {
          position++;
        }
        length = append(start, position, length);
        if (position < limit) {
          position++;
          break;
        }
      }
    } catch (IOException broken) {
      throw failure(file, number + 1, broken);
    }
    if (!any) {
      return -1;
    }
    number++;
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
  }

  private int append(int start, int end, int length) {
    int total = length + end - start;
    if (total > MAX_LINE) {
      throw InputException.at(
          SourceLocation.of(file, number + 1),
          "line longer than " + MAX_LINE + " bytes, expected a text file");
    }
    if (total > line.length) {
      line = java.util.Arrays.copyOf(line, Math.max(total, 2 * line.length));
    }
    System.arraycopy(buffer, start, line, length, end - start);
    return total;
  }

  /** Holds the line that {@link #nextBytes} read, until the next call. */
  byte[] bytes() {
    return line;
  }

  /** The place of the line read last. */
  SourceLocation source() {
    return SourceLocation.of(file, number);
  }

  private static InputException failure(Path file, long line, IOException broken) {
    SourceLocation source = SourceLocation.of(file, line);
    if (broken instanceof NoSuchFileException) {
      return new InputException(file + ": no such file", broken);
    }
    if (broken instanceof EOFException) {
      return new InputException(
          source + ": the gzip stream ends early, the file is cut short", broken);
    }
    if (broken instanceof ZipException) {
      return new InputException(
          source + ": not a sound gzip stream (" + broken.getMessage() + ")", broken);
    }
    return new InputException(source + ": cannot be read (" + broken + ")", broken);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException broken) {
      throw failure(file, number, broken);
    }
  }
}
