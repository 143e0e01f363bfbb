package autosparse.tuner.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.InputException;
import autosparse.schedule.MatrixNames;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PatternsTest {
  @TempDir Path folder;

  private static SparsityPattern make(PatternKind kind, int rows, int cols, long nnz, long seed) {
    return Patterns.of(PatternSpec.of(kind, rows, cols, nnz, seed)).toPattern("m");
  }

  private static long checksum(SparsityPattern pattern) {
    CRC32 crc = new CRC32();
    for (int column : pattern.columns()) {
      for (int shift = 0; shift < 32; shift += 8) {
        crc.update(column >> shift);
      }
    }
    return crc.getValue();
  }

  private static Stream<PatternKind> kinds() {
    return Arrays.stream(PatternKind.values()).filter(kind -> !kind.isVariant());
  }

  /** {@link SparsityPattern#of} itself checks that rows are sorted and without duplicates. */
  @ParameterizedTest
  @MethodSource("kinds")
  void seedsAndShapes(PatternKind kind) {
    for (int[] shape : new int[][] {{1, 1, 1}, {1, 50, 20}, {50, 1, 20}, {37, 53, 300}}) {
      int cols = kind == PatternKind.STENCIL ? shape[0] : shape[1];
      long nnz = Math.min(shape[2], (long) shape[0] * cols);
      SparsityPattern pattern = make(kind, shape[0], cols, nnz, 3);
      assertEquals(
          cols, pattern.cols() + (kind == PatternKind.STENCIL ? cols - pattern.cols() : 0));
      assertTrue(pattern.rows() >= 1 && pattern.rows() <= shape[0]);
    }
    SparsityPattern once = make(kind, 900, 900, 9000, 1);
    assertArrayEquals(once.columns(), make(kind, 900, 900, 9000, 1).columns());
    boolean random = kind != PatternKind.STENCIL && kind != PatternKind.ARROW;
    assertEquals(random, checksum(once) != checksum(make(kind, 900, 900, 9000, 2)));
    double share = kind == PatternKind.STENCIL ? 0.5 : once.nnz() / 9000.0;
    // RMAT loses what falls on one place twice; a power law what a full row cannot take.
    assertTrue(share > 0.45 && share < 1.1, kind + " has " + once.nnz());
  }

  /** In every JVM: what these were when this was written. */
  @ParameterizedTest
  @CsvSource({
    "BAND,3802799322",
    "BLOCKS,3842583689",
    "RMAT,1758658232",
    "UNIFORM,3006973919",
    "STENCIL,4062112885",
    "POWERLAW,1819187206",
    "ARROW,1417812126",
  })
  void theSameInEveryJvm(PatternKind kind, long checksum) {
    assertEquals(checksum, checksum(make(kind, 500, 500, 5000, 7)));
  }

  @Test
  void kindsHaveTheirShape() {
    SparsityPattern band = make(PatternKind.BAND, 1000, 1000, 10_000, 1);
    SparsityPattern arrow = make(PatternKind.ARROW, 100, 100, 500, 1);
    for (int row = 0; row < 1000; row++) {
      for (long p = band.rowStart(row); p < band.rowEnd(row); p++) {
        assertTrue(Math.abs(band.column(p) - row) <= 20);
      }
    }
    assertEquals(100, arrow.rowEnd(0));
    assertEquals(2 * 100 + 98 * 3, arrow.nnz(), "two full rows, two full columns, the diagonal");
    SparsityPattern blocks = make(PatternKind.BLOCKS, 800, 800, 8000, 1);
    for (int row = 0; row < 800; row++) {
      assertEquals(0, (blocks.rowEnd(row) - blocks.rowStart(row)) % 8);
      assertEquals(
          blocks.rowEnd(row) - blocks.rowStart(row),
          blocks.rowEnd(row / 8 * 8) - blocks.rowStart(row / 8 * 8));
    }
    SparsityPattern power = make(PatternKind.POWERLAW, 1000, 1000, 10_000, 1);
    long[] lengths = new long[1000];
    for (int row = 0; row < 1000; row++) {
      lengths[row] = power.rowEnd(row) - power.rowStart(row);
    }
    Arrays.sort(lengths);
    assertEquals(1000, lengths[999]);
    assertTrue(lengths[500] <= 4, "half of the rows hold next to nothing");
    SparsityPattern rmat = make(PatternKind.RMAT, 1024, 1024, 10_000, 1);
    assertTrue(rmat.rowEnd(511) > 0.7 * rmat.nnz(), "upper half: .57 + .19 of it");
  }

  @ParameterizedTest
  @CsvSource({"5,4900,24220", "9,4900,43264", "7,4096,27136"})
  void stencilsHaveTheirPoints(double points, int rows, long nnz) {
    SparsityPattern pattern =
        Patterns.of(new PatternSpec(PatternKind.STENCIL, rows, rows, 0, points, 1)).toPattern("s");
    assertEquals(rows, pattern.rows());
    assertEquals(nnz, pattern.nnz());
  }

  @Test
  void variantsKeepTheBase() {
    SparsityPattern base = make(PatternKind.UNIFORM, 40, 60, 200, 5);
    SparsityPattern full = Patterns.expand(base, 2, 3, 1, 1).toPattern("x");
    assertEquals(80, full.rows());
    assertEquals(180, full.cols());
    assertEquals(6 * base.nnz(), full.nnz());
    SparsityPattern sparse = Patterns.expand(base, 4, 4, 0.01, 1).toPattern("x");
    assertTrue(sparse.nnz() >= base.nnz(), "at least one place of each block");
    assertTrue(sparse.nnz() < 2 * base.nnz());
    assertArrayEquals(base.columns(), Patterns.resize(base, 40, 60).toPattern("x").columns());
    SparsityPattern stretched = Patterns.resize(base, 100, 60).toPattern("x");
    assertEquals(base.nnz(), stretched.nnz());
    SparsityPattern shrunk = Patterns.resize(base, 10, 12).toPattern("x");
    Set<Integer> places = new HashSet<>();
    for (int row = 0; row < 40; row++) {
      for (long p = base.rowStart(row); p < base.rowEnd(row); p++) {
        places.add(row / 4 * 12 + base.column(p) / 5);
      }
    }
    assertEquals(places.size(), shrunk.nnz());
  }

  @Test
  void whatIsWrittenIsReadAgain() throws IOException {
    MatrixRows pattern = Patterns.of(PatternSpec.of(PatternKind.RMAT, 300, 500, 4000, 1));
    for (MatrixWriter.Format format : MatrixWriter.Format.values()) {
      Path file = folder.resolve("m" + format.suffix());
      MatrixWriter.write(pattern, file, format, "rmat");
      SparsityPattern read = MatrixReader.read(file);
      assertEquals("m", read.name());
      assertArrayEquals(pattern.toPattern("m").columns(), read.columns());
      assertArrayEquals(pattern.toPattern("m").rowPointers(), read.rowPointers());
      byte[] first = Files.readAllBytes(file);
      MatrixWriter.write(MatrixRows.of(read), file, format, "rmat");
      assertArrayEquals(first, Files.readAllBytes(file));
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(3, files.count(), "no temporary file is left");
    }
  }

  @Test
  void aMixIsVariedWithinItsBoundsAndNamesItsSiblings() {
    PatternMix mix = new PatternMix(40, 200, 4000, 500, 20_000, 1);
    List<PatternMix.Named> matrices = mix.matrices();
    assertEquals(40, matrices.stream().map(PatternMix.Named::name).distinct().count());
    Set<String> names = new HashSet<>();
    long siblings = 0;
    for (PatternMix.Named matrix : matrices) {
      SparsityPattern pattern = matrix.pattern().toPattern(matrix.name());
      String base = MatrixNames.base(matrix.name());
      if (!base.equals(matrix.name())) {
        siblings++;
        assertTrue(names.contains(base), matrix.name());
      }
      names.add(matrix.name());
      assertTrue(pattern.nnz() > 0 && pattern.nnz() <= 22_000, pattern + " " + matrix);
      assertTrue(pattern.rows() <= 4000 && pattern.cols() <= 4000, pattern.toString());
    }
    assertEquals(10, siblings);
    for (PatternKind kind : kinds().toList()) {
      assertTrue(names.contains(kind.id() + "01"), kind.id());
    }
    assertEquals(
        matrices.stream().map(PatternMix.Named::description).toList(),
        mix.matrices().stream().map(PatternMix.Named::description).toList());
  }

  @Test
  void refusals() {
    refused(() -> PatternSpec.of(PatternKind.BAND, 0, 5, 1, 1), "--rows: 0, expected");
    refused(() -> PatternSpec.of(PatternKind.BAND, 5, 5, 26, 1), "--nnz: 26, expected");
    refused(() -> new PatternSpec(PatternKind.STENCIL, 9, 9, 0, 6, 1), "--parameter: 6.0");
    refused(() -> PatternSpec.of(PatternKind.STENCIL, 9, 8, 0, 1), "--cols: 8, expected");
    refused(() -> PatternKind.parse("bandd"), "kind bandd, expected band, blocks");
    refused(() -> MatrixWriter.Format.parse("csv"), "format csv, expected csr");
    refused(() -> new PatternMix(0, 4, 5, 1, 2, 1), "--count: 0");
  }

  private static void refused(Executable action, String part) {
    String message = assertThrows(InputException.class, action).getMessage();
    assertTrue(message.contains(part), message);
  }
}
