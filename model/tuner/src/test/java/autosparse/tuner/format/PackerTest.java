package autosparse.tuner.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.MatrixReader;
import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.SampleMatrices;
import autosparse.tuner.SharedMatrices;
import autosparse.tuner.space.ScheduleSpace;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class PackerTest {
  private static final int FORMATS_PER_SAMPLE = 300;
  private static final int FORMATS_PER_SHARED_MATRIX = 8;

  /** 3 x 5 with an empty row: (0,1) (0,4) (2,0) (2,1) (2,3). */
  private static final SparsityPattern SMALL =
      SparsityPattern.of("small", 3, 5, new long[] {0, 2, 2, 5}, new int[] {1, 4, 0, 1, 3});

  private static final float[] VALUES = {1, 2, 3, 4, 5};

  /** A format of SMALL for SpMV, from its splits and levels: {@code "1 i ...", "i0 1 i1 0 j 1"}. */
  private static PackedMatrix pack(String splits, String order, String modes) {
    int levels = order.split(" ").length;
    String line =
        splits
            + " 1 A "
            + levels
            + " "
            + order
            + " A "
            + levels
            + " "
            + modes
            + " 0 "
            + levels
            + " "
            + order
            + " None None None 0 1 1";
    Schedule schedule = Schedule.parse(line, new SourceLocation("test", 0));
    return Packer.pack(SMALL, VALUES, schedule, Problem.of(Op.SPMV, SMALL));
  }

  private static void assertLevel(
      PackedMatrix packed, int level, long positions, long[] starts, int[] coordinates) {
    PackedMatrix.Level found = packed.levels().get(level);
    assertEquals(positions, found.positions());
    assertArrayEquals(starts, found.positionsArray());
    assertArrayEquals(coordinates, found.coordinates());
  }

  @Test
  void denseThenCompressedIsCsr() {
    PackedMatrix csr = pack("0", "i j", "i 0 j 1");
    assertLevel(csr, 0, 3, null, null);
    assertLevel(csr, 1, 5, new long[] {0, 2, 2, 5}, new int[] {1, 4, 0, 1, 3});
    assertArrayEquals(VALUES, csr.values());
    assertArrayEquals(new long[] {0, 1, 2, 3, 4}, csr.leafOf());
  }

  @Test
  void columnsFirstIsCsc() {
    PackedMatrix csc = pack("0", "j i", "i 1 j 0");
    assertLevel(csc, 0, 5, null, null);
    assertLevel(csc, 1, 5, new long[] {0, 1, 3, 3, 4, 5}, new int[] {2, 0, 2, 2, 0});
    assertArrayEquals(new float[] {3, 1, 4, 5, 2}, csc.values());
    assertArrayEquals(new long[] {1, 4, 0, 2, 3}, csc.leafOf());
  }

  @Test
  void twoCompressedLevelsSkipTheEmptyRow() {
    PackedMatrix dcsr = pack("0", "i j", "i 1 j 1");
    assertLevel(dcsr, 0, 2, new long[] {0, 2}, new int[] {0, 2});
    assertLevel(dcsr, 1, 5, new long[] {0, 2, 5}, new int[] {1, 4, 0, 1, 3});
  }

  @Test
  void nonUniqueAndSingletonIsCoo() {
    PackedMatrix coo = pack("0", "i j", "i 2 j 3");
    assertLevel(coo, 0, 5, new long[] {0, 5}, new int[] {0, 0, 2, 2, 2});
    assertLevel(coo, 1, 5, null, new int[] {1, 4, 0, 1, 3});
  }

  @Test
  void compressedBelowNonUniqueHasOneChildEach() {
    PackedMatrix packed = pack("0", "i j", "i 2 j 1");
    assertLevel(packed, 1, 5, new long[] {0, 1, 2, 3, 4, 5}, new int[] {1, 4, 0, 1, 3});
  }

  @Test
  void trailingDenseLevelsArePaddedWithZeros() {
    PackedMatrix dense = pack("0", "i j", "i 0 j 0");
    assertArrayEquals(new float[] {0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 3, 4, 0, 5, 0}, dense.values());
    // Blocks of 2 x 2: rows 0-1 and columns 0-1, 4-5; rows 2-3 and columns 0-1, 2-3.
    PackedMatrix blocks =
        pack("2 i 2 i0 0 i1 2 j 2 j0 0 j1 2", "i0 j0 i1 j1", "i0 0 i1 0 j0 1 j1 0");
    assertLevel(blocks, 0, 2, null, null);
    assertLevel(blocks, 1, 4, new long[] {0, 2, 4}, new int[] {0, 2, 0, 1});
    assertArrayEquals(
        new float[] {0, 1, 0, 0, 2, 0, 0, 0, 3, 4, 0, 0, 0, 5, 0, 0}, blocks.values());
    assertArrayEquals(new long[] {1, 4, 8, 9, 13}, blocks.leafOf());
  }

  @Test
  void storedZerosSurvive() {
    float[] values = {0, 2, 3, -0.0f, 5};
    Problem problem = Problem.of(Op.SPMV, SMALL);
    Schedule dense =
        Schedule.parse(
            "0 1 A 2 i j A 2 i 0 j 0 0 0 None None None 0 1 1", new SourceLocation("test", 0));
    Unpacker.Unpacked unpacked =
        Unpacker.unpack("small", Packer.pack(SMALL, values, dense, problem));
    assertEquals(5, unpacked.pattern().nnz());
    assertArrayEquals(values, unpacked.values());
  }

  @Test
  void packedAndUnpackedIsTheSameOnAwkwardShapes() {
    for (SparsityPattern matrix : SampleMatrices.all()) {
      assertRoundTrips(matrix, FORMATS_PER_SAMPLE);
    }
  }

  @Test
  void packedAndUnpackedIsTheSameOnThePublicMatrices() {
    for (Path file : SharedMatrices.require()) {
      assertRoundTrips(MatrixReader.read(file), FORMATS_PER_SHARED_MATRIX);
    }
  }

  /** What the cost model counts without packing is what packing finds. */
  private static void assertCounted(
      PackedMatrix packed, SparsityPattern matrix, Schedule schedule, String what) {
    ScheduleGeometry geometry = ScheduleGeometry.of(schedule, packed.problem());
    assertEquals(
        packed.levels().stream().map(level -> (double) level.positions()).toList(),
        ScheduleWork.of(geometry, matrix.counts()).positions(),
        what);
    assertEquals(packed.size(), PackedSize.of(matrix.counts(), schedule, packed.problem()), what);
    long bytes = 4L * packed.values().length;
    for (PackedMatrix.Level level : packed.levels()) {
      bytes += level.positionsArray() == null ? 0 : 4L * level.positionsArray().length;
      bytes += level.coordinates() == null ? 0 : 4L * level.coordinates().length;
    }
    assertEquals(bytes, packed.bytes(), what);
  }

  /** Draws formats until enough of them fit under the cap; checks the others' message. */
  private static void assertRoundTrips(SparsityPattern matrix, int formats) {
    RandomGenerator random = new SplittableRandom(matrix.name().hashCode());
    Problem problem = Problem.of(Op.SPMV, matrix);
    float[] values = new float[(int) matrix.nnz()];
    for (int n = 0; n < values.length; n++) {
      values[n] = n + 1;
    }
    int packedFormats = 0;
    for (int draw = 0; packedFormats < formats; draw++) {
      assertTrue(draw < 100 * formats, matrix + ": hardly a format fits");
      Schedule schedule = ScheduleSpace.random(problem, 1, random);
      String what = matrix + ", " + schedule;
      PackedMatrix packed;
      try {
        packed = Packer.pack(matrix, values, schedule, problem);
      } catch (StorageCapException tooLarge) {
        assertTrue(
            tooLarge.getMessage().matches("level \\w+ \\([dsu]\\) .* the cap is \\d+"), what);
        StorageCapException counted =
            assertThrows(
                StorageCapException.class,
                () -> PackedSize.of(matrix.counts(), schedule, problem),
                what);
        assertEquals(tooLarge.getMessage(), counted.getMessage(), what);
        continue;
      }
      packedFormats++;
      assertLevels(packed, what);
      assertCounted(packed, matrix, schedule, what);
      Unpacker.Unpacked unpacked = Unpacker.unpack(matrix.name(), packed);
      assertArrayEquals(matrix.rowPointers(), unpacked.pattern().rowPointers(), what);
      assertArrayEquals(matrix.columns(), unpacked.pattern().columns(), what);
      assertArrayEquals(values, unpacked.values(), what);
    }
  }

  /** What each mode promises. */
  private static void assertLevels(PackedMatrix packed, String what) {
    long parents = 1;
    boolean single = false;
    long cap =
        20
            * Math.max(
                Math.max(packed.problem().nnz(), 1),
                Math.max(packed.problem().rows(), packed.problem().cols()));
    for (PackedMatrix.Level level : packed.levels()) {
      assertTrue(level.positions() <= cap, what);
      single = level.format().single(single);
      switch (level.mode()) {
        case DENSE -> {
          assertEquals(parents * level.extent(), level.positions(), what);
          assertNull(level.coordinates(), what);
        }
        case SINGLETON, SINGLETON_NON_UNIQUE -> {
          assertEquals(parents, level.positions(), what);
          assertNull(level.positionsArray(), what);
        }
        case COMPRESSED, COMPRESSED_NON_UNIQUE -> assertCompressed(level, single, what);
      }
      if (single) {
        assertEquals(packed.problem().nnz(), level.positions(), what);
      }
      parents = level.positions();
    }
    long[] leaves = packed.leafOf().clone();
    Arrays.sort(leaves);
    float sum = 0;
    int padding = 0;
    int next = 0;
    for (int p = 0; p < packed.values().length; p++) {
      if (next < leaves.length && leaves[next] == p) {
        next++;
      } else {
        padding++;
        sum += Math.abs(packed.values()[p]);
      }
    }
    assertEquals(leaves.length, next, what);
    assertEquals(packed.values().length - leaves.length, padding, what);
    assertEquals(0, sum, what);
  }

  private static void assertCompressed(PackedMatrix.Level level, boolean single, String what) {
    long[] starts = level.positionsArray();
    for (int parent = 0; parent + 1 < starts.length; parent++) {
      for (long p = starts[parent] + 1; p < starts[parent + 1]; p++) {
        int step = level.coordinates()[(int) p] - level.coordinates()[(int) p - 1];
        assertTrue(level.mode() == Mode.COMPRESSED ? step > 0 : step >= 0, what);
      }
      if (single && level.mode() == Mode.COMPRESSED) {
        assertEquals(1, starts[parent + 1] - starts[parent], what);
      }
    }
  }

  private static final Schedule DENSE =
      Schedule.parse(
          "0 1 A 2 i j A 2 i 0 j 0 0 0 None None None 0 1 1", new SourceLocation("test", 0));

  private static String refusedFor(int rows, int cols, int... columnsOfFirstRow) {
    long[] starts = new long[rows + 1];
    Arrays.fill(starts, 1, rows + 1, columnsOfFirstRow.length);
    SparsityPattern matrix = SparsityPattern.of("m", rows, cols, starts, columnsOfFirstRow);
    float[] values = new float[columnsOfFirstRow.length];
    return assertThrows(
            StorageCapException.class,
            () -> Packer.pack(matrix, values, DENSE, Problem.of(Op.SPMV, matrix)))
        .getMessage();
  }

  @Test
  void theCapIsTwentyTimesNonzerosRowsOrColumns() {
    assertEquals(
        "level j (d) would have 1000 x 2000 positions, the cap is 40000",
        refusedFor(1000, 2000, 0, 1, 1999));
    // 20 x 20 = 400 positions are just allowed.
    SparsityPattern row = SparsityPattern.of("row", 20, 20, new long[21], new int[0]);
    Problem problem = Problem.of(Op.SPMV, row);
    assertEquals(400, Packer.pack(row, new float[0], DENSE, problem).values().length);
  }

  @Test
  void whatNoArrayHoldsIsFoundBeforeAnythingIsAllocated() {
    // 8 GB of values under a heap of 2: an attempt would end in an OutOfMemoryError.
    assertEquals(
        "level j (d) would have 1 x 2147483647 positions, the cap is 2147483638",
        refusedFor(1, Integer.MAX_VALUE, 5));
  }

  @Test
  void singletonsNeedPositionsWithOneNonzero() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> pack("0", "i j", "i 1 j 3"));
    assertEquals(
        "level j is a singleton of extent 5, expected one below a non-unique level",
        refused.getMessage());
  }

  @Test
  void aBrokenPackedMatrixIsNotRead() {
    PackedMatrix csr = pack("0", "i j", "i 0 j 1");
    csr.levels().get(1).coordinates()[0] = 7;
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Unpacker.unpack("x", csr));
    assertEquals("level j position 0: coordinate 7, expected 0 to 4", refused.getMessage());
  }
}
