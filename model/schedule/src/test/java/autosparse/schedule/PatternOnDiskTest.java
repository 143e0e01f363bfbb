package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.PatternCounts.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pattern that stays on disk: the same counts as in memory, and what becomes of its file. */
class PatternOnDiskTest {
  @TempDir Path folder;

  private Path write(SparsityPattern pattern) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * (4 + pattern.rows() + (int) pattern.nnz()))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(pattern.rows()).putInt(pattern.cols()).putInt((int) pattern.nnz());
    for (int row = 0; row <= pattern.rows(); row++) {
      bytes.putInt((int) pattern.rowStart(row));
    }
    for (int column : pattern.columns()) {
      bytes.putInt(column);
    }
    return Files.write(folder.resolve(pattern.name() + ".csr"), bytes.array());
  }

  /** Every kind of question, blocks from 2 to more than there are rows and columns. */
  private static void ask(PatternQueries counts, Consumer<Object> answers) {
    List<View> views = new ArrayList<>(List.of(View.NONE, View.WHOLE));
    for (long block : new long[] {2, 3, 16, 100, 4096, 1L << 40}) {
      views.add(View.outer(block));
      views.add(View.inner(block));
    }
    for (View rows : views) {
      for (View cols : views) {
        answers.accept(counts.distinct(rows, cols));
      }
    }
    for (long group : new long[] {1, 7, 64, 1L << 40}) {
      for (long unit : new long[] {1, 5, 16}) {
        for (int chunk : new int[] {1, 3, 64}) {
          answers.accept(counts.rowBalance(group, unit, true, chunk, 4));
          answers.accept(counts.rowBalance(group, unit, false, chunk, 3));
        }
      }
    }
  }

  private static List<Object> answers(PatternCounts counts) {
    List<Object> answers = new ArrayList<>();
    ask(counts, answers::add);
    return answers;
  }

  private static List<Object> together(PatternCounts counts) {
    counts.countAll(asked -> ask(asked, answer -> {}));
    return answers(counts);
  }

  /** With room for a row, for a few places of a block, and for all. */
  @ParameterizedTest
  @ValueSource(longs = {1, 200, 1 << 14, Long.MAX_VALUE})
  void countsAreThoseInMemory(long rangeBytes) throws IOException {
    for (SparsityPattern held :
        List.of(
            PatternCountsTest.pattern(137, 83, 0.1, 1),
            PatternCountsTest.pattern(1, 60, 0.3, 2),
            PatternCountsTest.pattern(64, 1, 0.5, 3),
            PatternCountsTest.pattern(12, 9, 0, 4),
            PatternCountsTest.pattern(0, 0, 0, 5))) {
      List<Object> expected = answers(held.counts());
      Path file = write(held);
      try (CsrFile one = CsrFile.open(file, rangeBytes);
          CsrFile all = CsrFile.open(file, rangeBytes)) {
        assertEquals(expected, answers(one.counts()), held + " one by one");
        assertEquals(expected, together(all.counts()), held + " together");
      }
    }
  }

  @Test
  void countsOfThePublishedMatricesAreThoseInMemory() throws IOException {
    Path matrices = SharedData.require("matrices");
    List<Path> files;
    try (var all = Files.list(matrices)) {
      files = all.sorted().toList();
    }
    assertEquals(10, files.size());
    for (Path file : files) {
      try (CsrFile onDisk = CsrFile.open(file, 1 << 16)) {
        SparsityPattern held = MatrixReader.read(file);
        assertEquals(answers(held.counts()), together(onDisk.counts()), file.toString());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 200, Long.MAX_VALUE})
  void theHashIsThatInMemory(long rangeBytes) throws IOException {
    SparsityPattern held = PatternCountsTest.pattern(137, 83, 0.1, 1);
    try (CsrFile onDisk = CsrFile.open(write(held), rangeBytes)) {
      assertEquals(held.patternHash(), onDisk.patternHash());
    }
  }

  /** One nonzero moved, to another column or row, and a row or a column more. */
  @Test
  void everyPlaceAndTheShapeAreHashed() {
    List<SparsityPattern> patterns =
        List.of(
            SparsityPattern.of("a", 3, 9, new long[] {0, 1, 2, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 3, 9, new long[] {0, 1, 2, 3}, new int[] {1, 4, 8}),
            SparsityPattern.of("a", 3, 9, new long[] {0, 1, 2, 3}, new int[] {0, 4, 7}),
            SparsityPattern.of("a", 3, 9, new long[] {0, 2, 2, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 3, 9, new long[] {0, 0, 2, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 4, 9, new long[] {0, 1, 2, 3, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 4, 9, new long[] {0, 0, 1, 2, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 3, 10, new long[] {0, 1, 2, 3}, new int[] {1, 4, 7}),
            SparsityPattern.of("a", 9, 3, new long[10], new int[0]),
            SparsityPattern.of("a", 3, 9, new long[4], new int[0]));
    assertEquals(
        patterns.size(), patterns.stream().map(MatrixPattern::patternHash).distinct().count());
  }

  @Test
  void whatWasCountedTogetherIsNotReadAgain() throws IOException {
    SparsityPattern held = PatternCountsTest.pattern(500, 40, 0.2, 6);
    try (CsrFile onDisk = CsrFile.open(write(held), 1 << 20)) {
      together(onDisk.counts());
      Files.delete(folder.resolve("m.csr"));
      assertEquals(answers(held.counts()), answers(onDisk.counts()));
    }
  }

  @Test
  void whatFitsIsHeldAndTheRestStaysOnDisk() throws IOException {
    SparsityPattern pattern = PatternCountsTest.pattern(50, 40, 0.2, 7);
    Path file = write(pattern);
    long bytes = MatrixPattern.bytes(pattern.rows(), pattern.nnz());
    assertEquals(HeapSize.array(51, 8) + HeapSize.array(pattern.nnz(), 4), bytes);
    // Of 16 bytes 4 are for ranges of what stays on disk.
    PatternMemory memory = new PatternMemory(16 * bytes);
    for (int n = 0; n < 12; n++) {
      assertInstanceOf(SparsityPattern.class, memory.open(file), "matrix " + n);
    }
    try (MatrixPattern last = memory.open(file)) {
      assertEquals(CsrFile.class, last.getClass());
      assertEquals(bytes, last.rangeBytes());
      assertEquals("m", last.name());
      assertEquals(pattern.nnz(), last.nnz());
    }
  }

  @Test
  void textThatDoesNotFitIsRefusedWithAWayOut() throws IOException {
    Path file = folder.resolve("text.mtx");
    Files.writeString(
        file, "%%MatrixMarket matrix coordinate pattern symmetric\n4 4 3\n1 1\n3 2\n4 4\n");
    // Room for arrays of 8 · 5 and 4 · 6 bytes, as many entries as there can be, with headers.
    assertEquals(4, new PatternMemory(128).open(file).nnz());
    String message =
        assertThrows(InputException.class, () -> new PatternMemory(64).open(file)).getMessage();
    assertEquals(
        file
            + ": its pattern takes up to 96 bytes of the heap, 48 are left for patterns, and only"
            + " .csr files can stay on disk: give the JVM a larger -Xmx, now or once to convert"
            + " it: generate --kind resize --shape 4x4 --matrix "
            + file
            + " --out text.csr",
        message);
    assertTrue(message.lines().count() == 1, message);
  }

  @Test
  void whatCannotStayOnDiskHasItsRoomBeforeTheRest() throws IOException {
    SparsityPattern pattern = PatternCountsTest.pattern(50, 40, 0.2, 9);
    Path csr = write(pattern);
    Path text = folder.resolve("text.mtx");
    Files.writeString(
        text, "%%MatrixMarket matrix coordinate pattern general\n50 40 3\n1 1\n3 2\n4 4\n");
    long csrBytes = MatrixPattern.bytes(50, pattern.nnz());
    long textBytes = MatrixPattern.bytes(50, 3);
    // Three quarters are room, for two of the first or one of each.
    long bytes = 4 * Math.max(2 * csrBytes, csrBytes + textBytes) / 3 + 16;
    List<Path> files = List.of(csr, csr, text);
    PatternMemory memory = new PatternMemory(bytes);
    assertEquals(List.of(MatrixReader.size(csr), MatrixReader.size(text)), memory.plan(files));
    assertInstanceOf(SparsityPattern.class, memory.open(csr));
    try (MatrixPattern second = memory.open(csr)) {
      assertEquals(CsrFile.class, second.getClass());
    }
    assertEquals(3, memory.open(text).nnz());

    long least = 4 * textBytes / 3;
    AtomicLong enough = new AtomicLong();
    PatternMemory small =
        new PatternMemory(
            least / 2,
            wanted -> {
              enough.set(wanted);
              return "have more";
            });
    String message = assertThrows(InputException.class, () -> small.plan(files)).getMessage();
    assertTrue(message.contains(".csr files can stay on disk: have more, now or once"), message);
    assertEquals(List.of(MatrixReader.size(text)), new PatternMemory(enough.get()).plan(files));
    assertThrows(
        InputException.class, () -> new PatternMemory(enough.get() / 16 * 16 - 16).plan(files));
  }

  @Test
  void aFileThatChangesOrGoesIsRefused() throws IOException {
    SparsityPattern pattern = PatternCountsTest.pattern(50, 40, 0.2, 8);
    Path file = write(pattern);
    FileTime then = Files.getLastModifiedTime(file);
    try (CsrFile csr = CsrFile.open(file)) {
      csr.read(0, 50);
      FileTime later = FileTime.fromMillis(then.toMillis() + 5000);
      Files.setLastModifiedTime(file, later);
      assertEquals(
          file + ": changed while it was in use (at " + later + ", it was of " + then + ")",
          assertThrows(InputException.class, () -> csr.read(0, 1)).getMessage());
      assertThrows(InputException.class, () -> csr.counts().distinct(View.NONE, View.WHOLE));
      Files.setLastModifiedTime(file, then);
      csr.read(0, 1);
      Files.delete(file);
      assertEquals(
          file + ": removed while it was in use",
          assertThrows(InputException.class, () -> csr.read(0, 1)).getMessage());
    }
  }
}
