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
      assertEquals(4, csr.rows());
      assertEquals(5, csr.cols());
      assertEquals(6, csr.nnz());
      for (int from = 0; from <= 4; from++) {
        assertEquals(whole.rowPointers()[from], csr.rowStart(from));
        for (int to = from; to <= 4; to++) {
          CsrFile.Rows rows = csr.read(from, to);
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

  /** The same words as when the file is read at once: a user need not know how it was read. */
  @Test
  void whatIsBrokenIsNamedAsByTheWholeReader() throws IOException {
    int[][] broken = {
      {1, 1},
      {-1, 1, 0, 0},
      {1, 3, 1, 0, 1, 2, 9},
      {2, 3, 2, 0, 1, 2, 0},
      {2, 3, 2, 1, 1, 2, 0, 1},
      {2, 3, 2, 0, 1, 1, 0, 1},
      {2, 3, 2, 0, -1, 2, 0, 1},
      {3, 3, 2, 0, 2, 1, 2, 0, 1},
      {2, 3, 2, 0, 1, 2, 0, 3},
      {2, 3, 2, 0, 1, 2, -1, 1},
      {1, 3, 2, 0, 2, 1, 1},
      {1, 3, 2, 0, 2, 2, 1},
    };
    for (int[] words : broken) {
      Path file = csr(words);
      String whole =
          assertThrows(InputException.class, () -> MatrixReader.read(file))
              .getMessage()
              .substring(file.toString().length());
      assertEquals(whole, refusal(file), Arrays.toString(words));
    }
    assertEquals(": no such file", refusal(folder.resolve("none.csr")));
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
      CsrFile.Rows read = csr.read(rows - 10, rows);
      assertArrayEquals(new long[11], read.rowPointers());
      assertEquals(0, read.columns().length);
    }
  }
}
