package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.TensorScope;
import autosparse.engine.operators.SparsePatternOperators;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A planning device counts the sites and pairs that the reference finds. */
class PlannedCountsTest {
  private static final long CAPACITY = 1L << 24;

  /** Sites, first sites of some rows, and pairs of two levels. */
  private static List<Long> counts(TensorScope scope, Sites sites, int stride) {
    SparsePatternOperators pattern = scope.device().operators().pattern();
    List<Long> counts = new ArrayList<>();
    Sites level = sites;
    for (int depth = 0; depth < 2; depth++) {
      for (long row = 0; row <= level.rows(); row += 3) {
        counts.add(pattern.firstSite(level, row));
      }
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 2);
      counts.add(pattern.neighbors(level, level, kernel, scope).pairs());
      Sites coarse = pattern.downsample(level, stride, scope);
      counts.add(coarse.count());
      ConvolutionKernel strided = new ConvolutionKernel(5, stride, 1);
      counts.add(pattern.neighbors(level, coarse, strided, scope).pairs());
      level = coarse;
    }
    return counts;
  }

  private static List<Long> expected(int stride, Sites.Pattern... batch) {
    HostDevice.Options options = HostDevice.Options.defaults().withCapacity(CAPACITY);
    try (Device device = HostDevice.reference(options);
        TensorScope scope = device.root().child("test")) {
      return counts(scope, Sites.of(scope, batch), stride);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void ofBatches(int stride) {
    Sites.Pattern[] batch = {
      Patterns.random(20, 30, .2, 1), Patterns.of(0, 5), Patterns.random(9, 4, .5, 2)
    };
    try (Device device = PlanningDevice.cpu(CAPACITY);
        TensorScope scope = device.root().child("test")) {
      assertEquals(expected(stride, batch), counts(scope, Sites.of(scope, batch), stride));
    }
  }

  /** Lets only so many bytes be read at once, and no more. */
  private static RowSource limited(Sites.Pattern pattern, long rangeBytes) {
    return new WatchedRows(
        pattern,
        rangeBytes,
        (firstRow, endRow) -> {
          // A 5 × 5 kernel's rows around one that lies in a lattice of stride 49 cannot be fewer.
          long least = pattern.bytes(firstRow, Math.min(pattern.rows(), firstRow + 5 * 49));
          assertTrue(
              pattern.bytes(firstRow, endRow) <= Math.max(5 * rangeBytes, least),
              "bytes read at once");
        });
  }

  /** What must not be read at once is counted, and copied, part by part. */
  @ParameterizedTest
  @ValueSource(longs = {1, 300, 2000})
  void ofSourcesReadInParts(long rangeBytes) {
    Sites.Pattern[] whole = {
      Patterns.random(61, 30, .2, 6), Patterns.of(0, 5), Patterns.random(1, 40, .5, 7)
    };
    RowSource[] limited =
        Arrays.stream(whole).map(p -> limited(p, rangeBytes)).toArray(RowSource[]::new);
    for (int stride : new int[] {2, 3, 7}) {
      try (Device device = PlanningDevice.cpu(CAPACITY);
          TensorScope scope = device.root().child("test")) {
        assertEquals(expected(stride, whole), counts(scope, Sites.of(scope, limited), stride));
      }
    }
    HostDevice.Options options = HostDevice.Options.defaults().withCapacity(CAPACITY);
    try (Device device = HostDevice.cpu(options);
        TensorScope scope = device.root().child("test")) {
      Sites copied = Sites.of(scope, limited);
      Sites of = Sites.of(scope, whole);
      assertArrayEquals(of.columns().toInts(), copied.columns().toInts());
      assertArrayEquals(of.rowPointers().toLongs(), copied.rowPointers().toLongs());
    }
  }

  private static Sites.Pattern shifted(Sites.Pattern pattern, int columns) {
    return new Sites.Pattern(
        pattern.rows(),
        pattern.columns() + columns,
        pattern.rowPointers(),
        Arrays.stream(pattern.columnIndices()).map(column -> column + columns).toArray());
  }

  /** Ranges shifted by a multiple of their unit share counts; those shifted by less must not. */
  @Test
  void ofShiftedRanges() {
    Sites.Pattern pattern = Patterns.random(24, 16, .15, 3);
    try (Device device = PlanningDevice.cpu(CAPACITY);
        TensorScope scope = device.root().child("test")) {
      SiteBuffer buffer = new SiteBuffer(scope, pattern.rows(), pattern.sites());
      for (int shift = 0; shift < 9; shift++) {
        Sites.Pattern moved = shifted(pattern, shift);
        Sites sites = buffer.sites(new RowRange(moved, 0, moved.rows(), 4));
        assertEquals(expected(2, moved), counts(scope, sites, 2), "shifted by " + shift);
      }
    }
  }

  /** However a matrix is cut, each part has the counts of a matrix of its own. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void ofRangesOfUnits(int seed) {
    Sites.Pattern pattern = Patterns.random(59, 23, .2, seed);
    int unit = 4;
    AtomicInteger reads = new AtomicInteger();
    RowSource watched =
        new WatchedRows(pattern, Long.MAX_VALUE, (firstRow, endRow) -> reads.incrementAndGet());
    try (Device device = PlanningDevice.cpu(CAPACITY);
        TensorScope scope = device.root().child("test")) {
      SiteBuffer buffer = new SiteBuffer(scope, pattern.rows(), pattern.sites());
      for (int units : new int[] {3, 5, 2, 1, 15}) {
        for (int first = 0; first < 59; first += unit) {
          int end = Math.min(59, first + units * unit);
          Sites sites = buffer.sites(new RowRange(watched, first, end, unit));
          assertEquals(
              expected(2, pattern.read(first, end)),
              counts(scope, sites, 2),
              units + " units from row " + first);
        }
      }
      // What the parts above have is known.
      int before = reads.get();
      Sites sites = buffer.sites(new RowRange(watched, 8, 40, unit));
      SparsePatternOperators operators = device.operators().pattern();
      operators.neighbors(sites, sites, new ConvolutionKernel(3, 1, 2), scope);
      Sites coarse = operators.downsample(sites, 2, scope);
      operators.firstSite(coarse, 6);
      assertEquals(before, reads.get());
    }
  }

  @Test
  void rangesLargerThanTheBufferAreRefused() {
    Sites.Pattern pattern = Patterns.random(12, 12, .3, 5);
    try (Device device = PlanningDevice.cpu(CAPACITY);
        TensorScope scope = device.root().child("test")) {
      RowRange all = RowRange.whole(pattern);
      SiteBuffer fewRows = new SiteBuffer(scope, all.rows() - 1, all.sites());
      assertThrows(IllegalArgumentException.class, () -> fewRows.sites(all));
      SiteBuffer fewSites = new SiteBuffer(scope, all.rows(), all.sites() - 1);
      assertThrows(IllegalArgumentException.class, () -> fewSites.sites(all));
    }
  }

  @Test
  void levelsCoarserThanTheUnitAreRefused() {
    Sites.Pattern pattern = Patterns.random(12, 12, .3, 4);
    try (Device device = PlanningDevice.cpu(CAPACITY);
        TensorScope scope = device.root().child("test")) {
      SiteBuffer buffer = new SiteBuffer(scope, pattern.rows(), pattern.sites());
      Sites sites = buffer.sites(new RowRange(pattern, 0, pattern.rows(), 4));
      SparsePatternOperators operators = device.operators().pattern();
      Sites coarse = operators.downsample(sites, 4, scope);
      assertThrows(IllegalArgumentException.class, () -> operators.downsample(coarse, 2, scope));
      assertThrows(IllegalArgumentException.class, () -> operators.downsample(sites, 3, scope));
    }
  }
}
