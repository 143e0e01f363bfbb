package autosparse.schedule;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;

/**
 * A {@code .csr} file (int32 little-endian rows, cols, nnz, rowptr[rows + 1], col[nnz]) of which
 * some rows are read at a time: it may be larger than memory. What is read is checked, so a broken
 * row is found when a range that has it is read. A file that changes while it is open is refused by
 * the next read.
 */
public final class CsrFile implements MatrixPattern {
  static final int HEADER_BYTES = 12;
  private static final int WORD = 4;
  private static final int BUFFER_BYTES = 1 << 20;

  private final Path file;
  private final FileChannel channel;
  private final int rows;
  private final int cols;
  private final int nnz;
  private final FileTime modified;
  private final long rangeBytes;
  private final PatternCounts counts = new PatternCounts(this);

  private CsrFile(Path file, FileChannel channel, long rangeBytes) throws IOException {
    this.file = file;
    this.channel = channel;
    this.rangeBytes = rangeBytes;
    this.modified = Files.getLastModifiedTime(file);
    long size = channel.size();
    if (size < HEADER_BYTES) {
      throw wrong("header", size + " bytes in the file", "12 bytes: rows, cols, nnz; truncated");
    }
    ByteBuffer header = words(HEADER_BYTES);
    fill(header, 0);
    this.rows = size(header, "rows");
    this.cols = size(header, "cols");
    this.nnz = size(header, "nnz");
    long expected = HEADER_BYTES + WORD * (rows + 1L) + (long) WORD * nnz;
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
    requirePointer(0, 0);
    requirePointer(rows, nnz);
  }

  /** As {@link #open(Path, long)}, for ranges of any size. */
  public static CsrFile open(Path file) {
    return open(file, Long.MAX_VALUE);
  }

  /**
   * Opens a file and checks its sizes.
   *
   * @param rangeBytes see {@link #rangeBytes}
   * @throws InputException naming the file, field, value, and what was expected
   */
  public static CsrFile open(Path file, long rangeBytes) {
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException missing) {
      throw new InputException(file + ": no such file", missing);
    } catch (IOException broken) {
      throw unreadable(file, broken);
    }
    try {
      return new CsrFile(file, channel, rangeBytes);
    } catch (IOException | RuntimeException e) {
      try {
        channel.close();
      } catch (IOException another) {
        e.addSuppressed(another);
      }
      throw e instanceof RuntimeException wrong ? wrong : unreadable(file, (IOException) e);
    }
  }

  private static InputException unreadable(Path file, IOException broken) {
    return new InputException(
        broken instanceof EOFException
            ? file + ": truncated while it was being read"
            : file + ": cannot be read (" + broken + ")",
        broken);
  }

  @Override
  public String name() {
    return MatrixReader.name(file);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public long nnz() {
    return nnz;
  }

  @Override
  public PatternCounts counts() {
    return counts;
  }

  @Override
  public long rangeBytes() {
    return rangeBytes;
  }

  /** Reads the whole file. */
  SparsityPattern whole() {
    MemoryGuard.require(MatrixPattern.bytes(rows, nnz), "the matrix", SourceLocation.of(file));
    Rows all = read(0, rows);
    return SparsityPattern.wrap(name(), rows, cols, all.rowPointers(), all.columns());
  }

  @Override
  public long rowStart(int row) {
    ByteBuffer word = words(WORD);
    read(word, pointerOffset(row));
    int start = word.getInt(0);
    if (start < 0 || start > nnz) {
      throw new InputException(
          file + ": row pointer " + row + ": " + start + ", expected 0 to nnz = " + nnz);
    }
    return start;
  }

  @Override
  public Rows read(int from, int to) {
    if (from < 0 || to < from || to > rows) {
      throw new IllegalArgumentException("rows " + from + " to " + to + " of " + rows);
    }
    long start = rowStart(from);
    long[] pointers = new long[to - from + 1];
    Words words = new Words(pointerOffset(from), to - from + 1L);
    for (int row = 0; row < pointers.length; row++) {
      pointers[row] = words.next() - start;
      if (row > 0 && pointers[row] < pointers[row - 1]) {
        throw new InputException(
            file
                + ": "
                + CompressedRows.wrongPointer(
                    from + row, pointers[row] + start, pointers[row - 1] + start));
      }
    }
    long count = pointers[to - from];
    if (start + count > nnz) {
      throw new InputException(
          file
              + ": row pointer "
              + to
              + ": "
              + (start + count)
              + ", expected at most nnz = "
              + nnz);
    }
    int[] columns = new int[(int) count];
    words = new Words(HEADER_BYTES + WORD * (rows + 1L) + WORD * start, count);
    for (int row = 0; row < to - from; row++) {
      int previous = -1;
      for (int p = (int) pointers[row]; p < pointers[row + 1]; p++) {
        int column = words.next();
        if (column <= previous || column >= cols) {
          throw new InputException(
              file + ": " + CompressedRows.wrongColumn(from + row, column, previous, cols));
        }
        columns[p] = column;
        previous = column;
      }
    }
    requireUnchanged();
    return new Rows(pointers, columns);
  }

  /** What was counted and planned holds for the file as it was when it was opened. */
  private void requireUnchanged() {
    FileTime now;
    try {
      now = Files.getLastModifiedTime(file);
    } catch (NoSuchFileException gone) {
      throw new InputException(file + ": removed while it was in use", gone);
    } catch (IOException broken) {
      throw unreadable(file, broken);
    }
    if (!now.equals(modified)) {
      throw new InputException(
          file + ": changed while it was in use (at " + now + ", it was of " + modified + ")");
    }
  }

  /** Words of a part of the file, in order. */
  private final class Words {
    private final ByteBuffer buffer;
    private long offset;
    private long left;

    Words(long offset, long count) {
      this.offset = offset;
      this.left = count;
      this.buffer = words((int) Math.min(BUFFER_BYTES, WORD * count)).limit(0);
    }

    int next() {
      if (!buffer.hasRemaining()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), WORD * left));
        read(buffer, offset);
        offset += buffer.limit();
        left -= buffer.limit() / WORD;
      }
      return buffer.getInt();
    }
  }

  private static ByteBuffer words(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static long pointerOffset(int row) {
    return HEADER_BYTES + (long) WORD * row;
  }

  private void read(ByteBuffer target, long offset) {
    try {
      fill(target, offset);
    } catch (IOException broken) {
      throw unreadable(file, broken);
    }
  }

  /** Fills a buffer from one place of the file; does not move the channel, so threads may. */
  private void fill(ByteBuffer target, long offset) throws IOException {
    long at = offset;
    while (target.hasRemaining()) {
      int read = channel.read(target, at);
      if (read < 0) {
        throw new EOFException();
      }
      at += read;
    }
    target.flip();
  }

  private int size(ByteBuffer header, String field) {
    int value = header.getInt();
    if (value < 0) {
      throw wrong(field, value, "0 or more");
    }
    return value;
  }

  private void requirePointer(int row, int expected) throws IOException {
    ByteBuffer word = words(WORD);
    fill(word, pointerOffset(row));
    int value = word.getInt(0);
    if (value != expected) {
      throw new InputException(
          file
              + ": row pointer "
              + row
              + (row == 0 ? "" : " (the last)")
              + ": "
              + value
              + ", expected "
              + (row == 0 ? "0" : "nnz = " + expected));
    }
  }

  private InputException wrong(String field, Object value, String expected) {
    return InputException.field(SourceLocation.of(file), field, value, expected);
  }

  @Override
  public String toString() {
    return file.toString();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException broken) {
      throw unreadable(file, broken);
    }
  }
}
