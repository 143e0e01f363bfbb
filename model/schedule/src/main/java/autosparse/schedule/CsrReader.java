package autosparse.schedule;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Reads {@code .csr}: int32 little-endian rows, cols, nnz, rowptr[rows + 1], col[nnz], nothing else
 * (AutoSparse's and WACO's binary form; no values). Streams through a buffer into the result.
 */
final class CsrReader {
  private static final int HEADER_BYTES = 12;
  private static final int BUFFER_BYTES = 1 << 16;

  private final Path file;
  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);

  private CsrReader(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  static SparsityPattern read(Path file, String name) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new CsrReader(file, channel).read(name);
    } catch (NoSuchFileException missing) {
      throw new InputException(file + ": no such file", missing);
    } catch (EOFException shrunk) {
      throw new InputException(file + ": truncated while it was being read", shrunk);
    } catch (IOException broken) {
      throw new InputException(file + ": cannot be read (" + broken + ")", broken);
    }
  }

  private SparsityPattern read(String name) throws IOException {
    long size = channel.size();
    if (size < HEADER_BYTES) {
      throw wrong("header", size + " bytes in the file", "12 bytes: rows, cols, nnz; truncated");
    }
    int rows = size("rows");
    int cols = size("cols");
    int nnz = size("nnz");
    long expected = HEADER_BYTES + 4L * (rows + 1L) + 4L * nnz;
    if (size != expected) {
      throw wrong(
          "file size",
          size + " bytes",
          expected
              + " bytes for "
              + rows
              + " rows and "
              + nnz
              + " nonzeros; "
              + (size < expected ? "truncated" : "trailing bytes"));
    }
    if (rows == Integer.MAX_VALUE) {
      throw wrong("rows", rows, "fewer than " + Integer.MAX_VALUE);
    }
    MemoryGuard.require(8L * (rows + 1L) + 4L * nnz, "the matrix", SourceLocation.of(file));
    long[] rowPointers = new long[rows + 1];
    for (int row = 0; row <= rows; row++) {
      rowPointers[row] = next();
    }
    int[] columns = new int[nnz];
    for (int p = 0; p < nnz; p++) {
      columns[p] = next();
    }
    try {
      return SparsityPattern.wrap(name, rows, cols, rowPointers, columns);
    } catch (IllegalArgumentException broken) {
      throw new InputException(file + ": " + broken.getMessage(), broken);
    }
  }

  private int size(String field) throws IOException {
    int value = next();
    if (value < 0) {
      throw wrong(field, value, "0 or more");
    }
    return value;
  }

  private int next() throws IOException {
    if (buffer.remaining() < 4) {
      buffer.compact();
      while (buffer.position() < 4) {
        if (channel.read(buffer) < 0) {
          throw new EOFException();
        }
      }
      buffer.flip();
    }
    return buffer.getInt();
  }

  private InputException wrong(String field, Object value, String expected) {
    return InputException.field(SourceLocation.of(file), field, value, expected);
  }
}
