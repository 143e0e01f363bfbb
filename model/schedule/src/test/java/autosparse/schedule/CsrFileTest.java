package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsrFileTest {
  @TempDir Path folder;

  private Path csr(int... words) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(words).forEach(bytes::putInt);
    return Files.write(folder.resolve("m.csr"), bytes.array());
  }

  /** What opening a file or reading all its rows says, behind the file's name. */
  private static String refusal(Path file) {
    InputException refused =
        assertThrows(
            InputException.class,
            () -> {
              try (CsrFile csr = CsrFile.open(file)) {
                csr.read(0, csr.rows());
              }
            });
    return refused.getMessage().substring(file.toString().length());
  }

  @Test
  void rangesAreThoseOfTheWholeFile() throws IOException {
    Path file = csr(4, 5, 6, 0, 2, 2, 5, 6, 1, 3, 0, 2, 4, 4);
    SparsityPattern whole = MatrixReader.read(file);
    try (CsrFile csr = CsrFile.open(file)) {
      assertArrayEquals(new long[] {0, 2, 2, 5, 6}, whole.rowPointers());
      assertArrayEquals(new int[] {1, 3, 0, 2, 4, 4}, whole.columns());
      assertEquals(4, csr.rows());
      assertEquals(5, csr.cols());
      assertEquals(6, csr.nnz());
      for (int from = 0; from <= 4; from++) {
        assertEquals(whole.rowPointers()[from], csr.rowStart(from));
        for (int to = from; to <= 4; to++) {
          MatrixPattern.Rows rows = csr.read(from, to);
          long start = whole.rowPointers()[from];
          assertArrayEquals(
              Arrays.stream(Arrays.copyOfRange(whole.rowPointers(), from, to + 1))
                  .map(p -> p - start)
                  .toArray(),
              rows.rowPointers());
          assertArrayEquals(
              Arrays.copyOfRange(whole.columns(), (int) start, (int) whole.rowPointers()[to]),
              rows.columns());
        }
      }
    }
  }

  /** The same words when the file is read at once: a user need not know how it was read. */
  @Test
  void whatIsBrokenIsNamed() throws IOException {
    refuses(
        ": field 'header': 8 bytes in the file, expected 12 bytes: rows, cols, nnz; truncated",
        1,
        1);
    refuses(": field 'rows': -1, expected 0 or more", -1, 1, 0, 0);
    String sizes = " bytes for %d rows and %d nonzeros; ";
    refuses(
        ": field 'file size': 28 bytes, expected 24" + sizes.formatted(1, 1) + "trailing bytes",
        1,
        3,
        1,
        0,
        1,
        2,
        9);
    refuses(
        ": field 'file size': 28 bytes, expected 32" + sizes.formatted(2, 2) + "truncated",
        2,
        3,
        2,
        0,
        1,
        2,
        0);
    refuses(": row pointer 0: 1, expected 0", 2, 3, 2, 1, 1, 2, 0, 1);
    refuses(": row pointer 2 (the last): 1, expected nnz = 2", 2, 3, 2, 0, 1, 1, 0, 1);
    String atLeast = ", expected at least the one before, ";
    refuses(": row pointer 1: -1" + atLeast + "0", 2, 3, 2, 0, -1, 2, 0, 1);
    refuses(": row pointer 2: 1" + atLeast + "2", 3, 3, 2, 0, 2, 1, 2, 0, 1);
    refuses(": column 3 in row 1, expected 0 to 2", 2, 3, 2, 0, 1, 2, 0, 3);
    refuses(": column -1 in row 0, expected 0 to 2", 2, 3, 2, 0, 1, 2, -1, 1);
    String ascending = " in row 0 after %d, expected strictly ascending columns";
    refuses(": duplicate column 1" + ascending.formatted(1), 1, 3, 2, 0, 2, 1, 1);
    refuses(": unsorted column 1" + ascending.formatted(2), 1, 3, 2, 0, 2, 2, 1);
    assertEquals(": no such file", refusal(folder.resolve("none.csr")));
  }

  private void refuses(String message, int... words) throws IOException {
    Path file = csr(words);
    assertEquals(message, refusal(file));
    InputException whole = assertThrows(InputException.class, () -> MatrixReader.read(file));
    assertEquals(file + message, whole.getMessage());
  }

  @Test
  void rowsInFrontOfABrokenOneAreRead() throws IOException {
    Path file = csr(3, 3, 3, 0, 1, 2, 3, 0, 7, 1);
    try (CsrFile csr = CsrFile.open(file)) {
      assertArrayEquals(new int[] {0}, csr.read(0, 1).columns());
      assertArrayEquals(new int[] {1}, csr.read(2, 3).columns());
      String message = assertThrows(InputException.class, () -> csr.read(0, 3)).getMessage();
      assertEquals(file + ": column 7 in row 1, expected 0 to 2", message);
    }
  }

  @Test
  void aFileThatShrinksIsRefused() throws IOException {
    Path file = csr(2, 3, 2, 0, 1, 2, 0, 1);
    try (CsrFile csr = CsrFile.open(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(24);
      }
      String message = assertThrows(InputException.class, () -> csr.read(0, 2)).getMessage();
      assertEquals(file + ": truncated while it was being read", message);
    }
  }

  /** Two million empty rows, of which ten are asked for: only these are held. */
  @Test
  void manyEmptyRows() throws IOException {
    int rows = 2_000_000;
    int[] words = new int[3 + rows + 1];
    words[0] = rows;
    words[1] = 1;
    try (CsrFile csr = CsrFile.open(csr(words))) {
      MatrixPattern.Rows read = csr.read(rows - 10, rows);
      assertArrayEquals(new long[11], read.rowPointers());
      assertEquals(0, read.columns().length);
    }
  }
}
