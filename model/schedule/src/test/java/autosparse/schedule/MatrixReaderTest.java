package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MatrixReaderTest {
  private static final String BANNER = "%%MatrixMarket matrix coordinate ";

  @TempDir Path folder;

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private Path csr(int... words) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(words).forEach(bytes::putInt);
    return write("m.csr", bytes.array());
  }

  private SparsityPattern mtx(String text) throws IOException {
    return MatrixReader.read(write("m.mtx", text.getBytes(StandardCharsets.UTF_8)));
  }

  private static String refusal(Path file) {
    String message = assertThrows(InputException.class, () -> MatrixReader.read(file)).getMessage();
    assertTrue(message.startsWith(file.toString()), message);
    assertFalse(message.contains("\n"), message);
    return message.substring(file.toString().length());
  }

  private String mtxRefusal(String text) throws IOException {
    return refusal(write("m.mtx", text.getBytes(StandardCharsets.UTF_8)));
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  @Test
  void csr() throws IOException {
    SparsityPattern pattern = MatrixReader.read(csr(3, 4, 4, 0, 2, 2, 4, 0, 3, 1, 2));
    assertEquals("m", pattern.name());
    assertEquals(3, pattern.rows());
    assertEquals(4, pattern.cols());
    assertEquals(4, pattern.nnz());
    assertArrayEquals(new long[] {0, 2, 2, 4}, pattern.rowPointers());
    assertArrayEquals(new int[] {0, 3, 1, 2}, pattern.columns());
    assertEquals(2, pattern.rowStart(2));
    assertEquals(4, pattern.rowEnd(2));
    assertEquals(1, pattern.column(2));
    pattern.columns()[0] = 99;
    assertEquals(0, pattern.column(0));
    assertEquals(0, MatrixReader.read(csr(0, 0, 0, 0)).nnz());
  }

  @Test
  void csrRefusals() throws IOException {
    assertTrue(refusal(write("m.csr", new byte[7])).contains("truncated"));
    assertTrue(refusal(csr(3, 4, 4, 0, 2, 2, 4, 0, 3, 1)).contains("truncated"));
    assertTrue(refusal(csr(3, 4, 4, 0, 2, 2, 4, 0, 3, 1, 2, 9)).contains("trailing bytes"));
    // 2^31 - 1 nonzeros claimed by a file of 16 bytes: refused by its length, nothing allocated.
    assertTrue(refusal(csr(1, 1, Integer.MAX_VALUE, 0)).contains("truncated"));
    assertTrue(refusal(csr(Integer.MAX_VALUE, 1, 0, 0)).contains("truncated"));
    assertTrue(refusal(csr(-1, 4, 0)).contains("'rows': -1"));
    assertTrue(refusal(csr(1, -4, 0, 0, 0)).contains("'cols': -4"));
    assertTrue(refusal(csr(1, 4, -2, 0, 0)).contains("'nnz': -2"));
    assertTrue(
        refusal(csr(2, 4, 2, 0, 3, 2, 0, 1)).contains("row pointer 2: 2, expected at least"));
    assertTrue(refusal(csr(2, 4, 2, 0, 1, 1, 0, 1)).contains("expected nnz = 2"));
    assertTrue(refusal(csr(2, 4, 2, 1, 1, 2, 0, 1)).contains("row pointer 0: 1"));
    assertTrue(refusal(csr(1, 4, 2, 0, 2, 0, 4)).contains("column 4 in row 0, expected 0 to 3"));
    assertTrue(refusal(csr(1, 4, 2, 0, 2, -1, 2)).contains("column -1"));
    assertTrue(refusal(csr(1, 4, 2, 0, 2, 2, 2)).contains("duplicate column 2"));
    assertTrue(refusal(csr(1, 4, 2, 0, 2, 3, 2)).contains("unsorted column 2"));
    assertTrue(refusal(folder.resolve("absent.csr")).contains("no such file"));
  }

  @Test
  void matrixMarketInAnyOrderWithCommentsAndBlankLines() throws IOException {
    SparsityPattern pattern =
        mtx(
            """
            %%matrixmarket MATRIX Coordinate Real General\r
            % a comment

             3 4  4\s
            3 2 -1.5e3

            1 4 0
            % another
            1\t1 2
            3 1 +7

            """);
    assertArrayEquals(new long[] {0, 2, 2, 4}, pattern.rowPointers());
    assertArrayEquals(new int[] {0, 3, 0, 1}, pattern.columns());
    assertEquals(3, pattern.rows());
    assertEquals(4, pattern.cols());
  }

  @Test
  void symmetricIsExpanded() throws IOException {
    SparsityPattern symmetric = mtx(BANNER + "pattern symmetric\n3 3 3\n3 1\n2 2\n3 3\n");
    assertArrayEquals(new long[] {0, 1, 2, 4}, symmetric.rowPointers());
    assertArrayEquals(new int[] {2, 1, 0, 2}, symmetric.columns());
    SparsityPattern skew = mtx(BANNER + "integer skew-symmetric\n2 2 1\n2 1 5\n");
    assertArrayEquals(new int[] {1, 0}, skew.columns());
  }

  @Test
  void matrixMarketRefusalsNameTheLine() throws IOException {
    assertTrue(mtxRefusal("").startsWith(":1: field 'banner': empty file"));
    assertTrue(mtxRefusal("3 3 1\n1 1 1\n").startsWith(":1: field 'banner': 3 3 1"));
    assertTrue(
        mtxRefusal("%%MatrixMarket matrix coordinate real\n").startsWith(":1: field 'banner'"));
    assertTrue(
        mtxRefusal("%%MatrixMarket vector coordinate real general\n").contains("'object': vector"));
    assertTrue(
        mtxRefusal("%%MatrixMarket matrix array real general\n").contains("'format': array"));
    assertTrue(mtxRefusal(BANNER + "complex general\n").contains("'field': complex"));
    assertTrue(mtxRefusal(BANNER + "real hermitian\n").contains("'symmetry': hermitian"));
    assertTrue(mtxRefusal(BANNER + "pattern skew-symmetric\n").contains("'symmetry'"));
    String real = BANNER + "real general\n";
    assertTrue(mtxRefusal(real + "% only comments\n").contains("'size line': end of file"));
    assertTrue(mtxRefusal(real + "2 2\n").startsWith(":2: field 'entries'"));
    assertTrue(mtxRefusal(real + "2 2 1 9\n").startsWith(":2: field 'size line'"));
    assertTrue(mtxRefusal(real + "-2 2 1\n").startsWith(":2: field 'rows': -2"));
    assertTrue(mtxRefusal(real + "2 2 5\n").contains("'entries': 5, expected at most 2 x 2"));
    assertTrue(mtxRefusal(real + "2 2 2\n1 1 1\n").contains("'entries': 1, expected 2"));
    assertTrue(
        mtxRefusal(real + "2 2 1\n1 1 1\n2 2 1\n").startsWith(":4: field 'entries': one more"));
    assertTrue(mtxRefusal(real + "2 2 1\n%\n3 1 1\n").startsWith(":4: field 'row': 3"));
    assertTrue(mtxRefusal(real + "2 2 1\n1 0 1\n").startsWith(":3: field 'column': 0"));
    assertTrue(mtxRefusal(real + "2 2 1\n1 x 1\n").startsWith(":3: field 'column': x"));
    assertTrue(mtxRefusal(real + "2 2 1\n1 1\n").startsWith(":3: field 'value'"));
    assertTrue(mtxRefusal(real + "2 2 1\n1 1 one\n").startsWith(":3: field 'value': one"));
    assertTrue(mtxRefusal(real + "2 2 1\n1 1 1 1\n").startsWith(":3: field 'entry'"));
    assertTrue(
        mtxRefusal(BANNER + "integer general\n2 2 1\n1 1 1.5\n")
            .contains("1.5, expected an integer"));
    assertTrue(mtxRefusal(BANNER + "real symmetric\n2 3 0\n").contains("square"));
    assertTrue(mtxRefusal(BANNER + "real skew-symmetric\n2 2 1\n1 1 1\n").contains("diagonal"));
    assertTrue(
        mtxRefusal(real + "2 2 3\n1 1 1\n2 1 1\n1 1 1\n").startsWith(":5: field 'entry': 1 1"));
    assertTrue(
        mtxRefusal(BANNER + "pattern symmetric\n2 2 2\n2 1\n1 2\n")
            .startsWith(":4: field 'entry': 1 2"));
    assertTrue(mtxRefusal("\u0000".repeat((1 << 20) + 1)).contains("expected a text file"));
  }

  @Test
  void aSizeLineCannotMakeTheReaderAllocate() throws IOException {
    assertTrue(
        mtxRefusal(BANNER + "pattern general\n2147483646 2147483646 2147483631\n1 1\n")
            .contains("-Xmx"));
    // The rows fit; no more is allocated than so short a file can hold.
    assertTrue(
        mtxRefusal(BANNER + "pattern general\n100000 100000 2147483631\n1 1\n")
            .contains("the file ends early"));
  }

  @Test
  void gzipped() throws IOException {
    String text = BANNER + "pattern general\n2 2 2\n2 1\n1 2\n";
    SparsityPattern pattern = MatrixReader.read(write("x.mtx.gz", gzip(text)));
    assertEquals("x", pattern.name());
    assertArrayEquals(new int[] {1, 0}, pattern.columns());
    byte[] whole = gzip(text);
    for (int length = 0; length < whole.length; length++) {
      String message = refusal(write("cut.mtx.gz", Arrays.copyOf(whole, length)));
      assertTrue(message.contains("cut short"), length + ": " + message);
    }
    assertTrue(
        refusal(write("text.mtx.gz", text.getBytes(StandardCharsets.UTF_8))).contains("gzip"));
    byte[] broken = whole.clone();
    broken[broken.length - 5] ^= 1;
    assertTrue(refusal(write("crc.mtx.gz", broken)).contains("not a sound gzip stream"));
  }

  @Test
  void suffixDecides() throws IOException {
    assertEquals(
        ": unknown kind of matrix file, expected one of [.csr, .mtx, .mtx.gz]",
        refusal(write("m.npz", new byte[3])));
  }

  @Test
  void folderFindsByName() throws IOException {
    csr(1, 1, 0, 0, 0);
    MatrixFolder matrices = MatrixFolder.open(folder);
    assertEquals("m", matrices.read("m", Path.of("spmm/m.txt.gz")).name());
    assertEquals(
        "spmm/other.txt.gz: its matrix other is missing, expected other.csr or other.mtx or"
            + " other.mtx.gz in "
            + folder,
        assertThrows(
                InputException.class, () -> matrices.require("other", Path.of("spmm/other.txt.gz")))
            .getMessage());
    assertThrows(InputException.class, () -> MatrixFolder.open(folder.resolve("absent")));
  }

  @Test
  void baseNames() {
    assertEquals("nemspmm1", MatrixNames.base("nemspmm1_16x4_0"));
    assertEquals("hugebubbles-00010", MatrixNames.base("hugebubbles-00010_4x2_0"));
    assertEquals("t2dal_a", MatrixNames.base("t2dal_a_8x4_3"));
    assertEquals("conf5_0-4x4-18", MatrixNames.base("conf5_0-4x4-18"));
    assertEquals("mhd4800a", MatrixNames.base("mhd4800a"));
    assertEquals("Trefethen_20000", MatrixNames.base("Trefethen_20000"));
  }

  @Test
  void sharedMatrices() throws IOException {
    try (Stream<Path> files = Files.list(SharedData.require("matrices"))) {
      List<SparsityPattern> patterns = files.sorted().map(MatrixReader::read).toList();
      assertEquals(10, patterns.size());
    }
    SparsityPattern resized = MatrixReader.read(SharedData.require("matrices/nemspmm1_16x4_0.csr"));
    assertEquals("nemspmm1_16x4_0 4096 x 8192, nnz 701760", resized.toString());
    assertEquals("nemspmm1", resized.baseName());
    assertEquals(156, MatrixReader.read(SharedData.require("mtx/karate.mtx")).nnz());
    assertEquals(294, MatrixReader.read(SharedData.require("mtx/west0067.mtx")).nnz());
    assertEquals(83883, MatrixReader.read(SharedData.require("mtx/bcsstk13.mtx")).nnz());
  }

  @Test
  void sharedBrokenFilesAreRefusedWithTheirLine() {
    assertEquals(
        ":1: field 'object': mangled, expected matrix",
        refusal(SharedData.require("mtx/mangled1.mtx")));
    assertTrue(refusal(SharedData.require("mtx/mangled4.mtx")).startsWith(":1: field 'symmetry'"));
    assertTrue(refusal(SharedData.require("mtx/mangled7.mtx")).startsWith(":5: field 'value'"));
    assertTrue(
        refusal(SharedData.require("mtx/west0067_noheader.mtx")).startsWith(":1: field 'banner'"));
  }

  @Test
  void sharedCsrCutShort() throws IOException {
    byte[] whole = Files.readAllBytes(SharedData.require("matrices/mhd4800a.csr"));
    String message = refusal(write("cut.csr", Arrays.copyOf(whole, whole.length / 2)));
    assertEquals(
        ": field 'file size': 214112 bytes, expected 428224 bytes for 4800 rows and 102252"
            + " nonzeros; truncated",
        message);
  }
}
