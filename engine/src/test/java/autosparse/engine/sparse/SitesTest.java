package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.engine.HostDevice;
import autosparse.engine.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sites of a batch and of the level below. */
class SitesTest {
  private static final HostDevice.Options OPTIONS =
      HostDevice.Options.defaults().withCapacity(1L << 26).withThreads(2).withGuards();

  static HostDevice device(String name) {
    return name.equals("cpu") ? HostDevice.cpu(OPTIONS) : HostDevice.reference(OPTIONS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void stacksTheMatricesOfABatch(String name) {
    try (HostDevice device = device(name);
        TensorScope scope = device.root().child("test")) {
      Sites sites =
          Sites.of(
              scope,
              Patterns.of(2, 5, new int[] {0, 4}, new int[] {1, 0}, new int[] {1, 3}),
              Patterns.of(0, 5),
              Patterns.of(3, 1, new int[] {2, 0}));
      assertEquals(4, sites.count());
      assertEquals(5, sites.rows());
      assertArrayEquals(new long[] {0, 1, 3, 3, 3, 4}, sites.rowPointers().toLongs());
      assertArrayEquals(new int[] {4, 0, 3, 0}, sites.columns().toInts());
      assertArrayEquals(new long[] {0, 3, 3, 4}, sites.siteOffsets().toLongs());
      assertEquals(0, sites.count(1));
      assertEquals(2, sites.firstRow(2));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void anEmptyBatchIsLegal(String name) {
    try (HostDevice device = device(name);
        TensorScope scope = device.root().child("test")) {
      Sites none = Sites.of(scope);
      assertEquals(0, none.count());
      Sites coarse = device.operators().pattern().downsample(none, 2, scope);
      assertEquals(0, coarse.count());
      NeighborMap map =
          device
              .operators()
              .pattern()
              .neighbors(none, coarse, new ConvolutionKernel(3, 2, 1), scope);
      assertEquals(0, map.pairs());
    }
  }

  /** The sites of a strided level are the distinct floor(coordinate/stride), sorted. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void downsamplesToDistinctFlooredCoordinates(String name) {
    try (HostDevice device = device(name);
        TensorScope scope = device.root().child("test")) {
      for (Sites.Pattern[] batch : batches()) {
        Sites sites = Sites.of(scope, batch);
        for (int stride : new int[] {2, 3, 7}) {
          Sites coarse = device.operators().pattern().downsample(sites, stride, scope);
          assertEquals(stride, coarse.stride());
          assertEquals(batch.length, coarse.batch());
          TreeSet<List<Integer>> expected =
              new TreeSet<>((a, b) -> Arrays.compare(toArray(a), toArray(b)));
          for (int[] at : Patterns.coordinates(sites)) {
            expected.add(List.of(at[0], at[1] / stride, at[2] / stride));
          }
          List<List<Integer>> actual = new ArrayList<>();
          for (int[] at : Patterns.coordinates(coarse)) {
            actual.add(List.of(at[0], at[1], at[2]));
          }
          assertEquals(new ArrayList<>(expected), actual);
          for (int b = 0; b < batch.length; b++) {
            long rows = (batch[b].rows() + stride - 1) / stride;
            assertEquals(rows, coarse.firstRow(b + 1) - coarse.firstRow(b));
            int matrix = b;
            assertEquals(
                expected.stream().filter(at -> at.get(0) == matrix).count(), coarse.count(b));
          }
          long[] firstSites = coarse.siteOffsets().toLongs();
          for (int b = 0; b <= batch.length; b++) {
            assertEquals(coarse.firstSite(b), firstSites[b]);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void refusesAStrideOfOne(String name) {
    try (HostDevice device = device(name);
        TensorScope scope = device.root().child("test")) {
      Sites sites = Sites.of(scope, Patterns.random(4, 4, 1, 1));
      assertThrows(
          IllegalArgumentException.class,
          () -> device.operators().pattern().downsample(sites, 1, scope));
    }
  }

  /** One row, one column, nothing, everything, and batches of such. */
  static List<Sites.Pattern[]> batches() {
    Sites.Pattern row = Patterns.random(1, 9000, .6, 1);
    Sites.Pattern column = Patterns.random(3000, 1, .6, 2);
    Sites.Pattern nothing = Patterns.random(6, 6, 0, 3);
    Sites.Pattern noRows = Patterns.of(0, 4);
    Sites.Pattern full = Patterns.random(13, 11, 1, 4);
    Sites.Pattern thin = Patterns.random(97, 101, .01, 5);
    Sites.Pattern single = Patterns.of(1, 1, new int[] {0, 0});
    return List.of(
        new Sites.Pattern[] {row},
        new Sites.Pattern[] {column},
        new Sites.Pattern[] {nothing},
        new Sites.Pattern[] {full},
        new Sites.Pattern[] {thin},
        new Sites.Pattern[] {noRows, single, noRows, noRows, full, nothing, full, noRows},
        new Sites.Pattern[] {full, column, thin, row, single});
  }

  private static int[] toArray(List<Integer> list) {
    return list.stream().mapToInt(i -> i).toArray();
  }
}
