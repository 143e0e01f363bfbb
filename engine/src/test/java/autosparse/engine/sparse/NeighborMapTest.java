package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.HostDevice;
import autosparse.engine.TensorScope;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Neighbour maps: their order, their directions, their bounds. */
class NeighborMapTest {
  /** One (output, offset, input) of a map. */
  private record Pair(int output, int k, int input) {
    /** The same relation seen from the input, under the offset {@code turned}. */
    Pair opposite(int turned) {
      return new Pair(/* output= */ input, turned, /* input= */ output);
    }
  }

  private static Set<Pair> pairs(NeighborMap map) {
    long[] pointers = map.pointers().toLongs();
    int[] masks = map.masks().toInts();
    int[] inputs = map.inputs().toInts();
    Set<Pair> result = new HashSet<>();
    for (int output = 0; output < masks.length; output++) {
      int at = (int) pointers[output];
      assertEquals(Integer.bitCount(masks[output]), pointers[output + 1] - at);
      for (int k = 0; k < 32; k++) {
        if ((masks[output] >>> k & 1) != 0) {
          result.add(new Pair(output, k, inputs[at++]));
        }
      }
    }
    assertEquals(map.pairs(), result.size());
    return result;
  }

  @Test
  void offsetsAreNumberedRowFastest() {
    ConvolutionKernel three = new ConvolutionKernel(3, 1, 1);
    int[] rows = {-1, 0, 1, -1, 0, 1, -1, 0, 1};
    int[] columns = {-1, -1, -1, 0, 0, 0, 1, 1, 1};
    for (int k = 0; k < 9; k++) {
      assertEquals(rows[k], three.rowOffset(k));
      assertEquals(columns[k], three.columnOffset(k));
      assertEquals(-rows[k], three.rowOffset(three.mirrored(k)));
      assertEquals(-columns[k], three.columnOffset(three.mirrored(k)));
    }
    ConvolutionKernel five = new ConvolutionKernel(5, 1, 3);
    for (int k = 0; k < 25; k++) {
      assertEquals((k % 5 - 2) * 3, five.rowOffset(k));
      assertEquals((k / 5 - 2) * 3, five.columnOffset(k));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void aSmallMapByHand(String name) {
    try (HostDevice device = SitesTest.device(name);
        TensorScope scope = device.root().child("test")) {
      // . 0 1     Row 1 holds one site; offsets of site 2 = (1, 1): up is k 3, up right is k 6.
      // . 2 .
      Sites sites =
          Sites.of(scope, Patterns.of(2, 3, new int[] {0, 1}, new int[] {0, 2}, new int[] {1, 1}));
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      NeighborMap map = device.operators().pattern().neighbors(sites, sites, kernel, scope);
      assertArrayEquals(
          new int[] {1 << 4 | 1 << 5 | 1 << 7, 1 << 1 | 1 << 2 | 1 << 4, 1 << 3 | 1 << 4 | 1 << 6},
          map.masks().toInts());
      assertArrayEquals(new int[] {0, 2, 1, 0, 2, 1, 0, 2, 1}, map.inputs().toInts());
      assertArrayEquals(new long[] {0, 3, 6, 9}, map.pointers().toLongs());
      assertThrows(IllegalStateException.class, map::transposed);
    }
  }

  /** Every pair is what the coordinates say, no more and no fewer, also on odd shapes. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void pairsAreTheActiveCoordinatesUnderTheKernel(String name) {
    try (HostDevice device = SitesTest.device(name)) {
      for (Sites.Pattern[] batch : SitesTest.batches()) {
        for (int size : new int[] {1, 3, 5}) {
          for (int stride = 1; stride <= 3; stride++) {
            for (int dilation : new int[] {1, 2, 3, 50}) {
              try (TensorScope scope = device.root().child("test")) {
                ConvolutionKernel kernel = new ConvolutionKernel(size, stride, dilation);
                Sites inputs = Sites.of(scope, batch);
                Sites outputs =
                    stride == 1
                        ? inputs
                        : device.operators().pattern().downsample(inputs, stride, scope);
                NeighborMap map =
                    device.operators().pattern().neighbors(inputs, outputs, kernel, scope);
                Set<Pair> expected = expected(inputs, outputs, kernel);
                assertEquals(expected, pairs(map), () -> kernel + " on " + inputs);
                if (stride > 1) {
                  assertInverse(expected, pairs(map.transposed()));
                  assertEquals(inputs, map.transposed().outputSites());
                  assertEquals(outputs, map.transposed().inputSites());
                } else {
                  assertArrayEquals(
                      map.masks().toInts(),
                      device
                          .operators()
                          .pattern()
                          .neighborhoodMasks(inputs, kernel, scope)
                          .toInts());
                  for (Pair pair : expected) {
                    assertTrue(expected.contains(pair.opposite(kernel.mirrored(pair.k))));
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  /** The transposed map is the same relation read from the other side, under the same offset. */
  private static void assertInverse(Set<Pair> forward, Set<Pair> backward) {
    Set<Pair> turned = new HashSet<>();
    for (Pair pair : backward) {
      turned.add(pair.opposite(pair.k));
    }
    assertEquals(forward, turned);
  }

  private static Set<Pair> expected(Sites inputs, Sites outputs, ConvolutionKernel kernel) {
    Map<List<Integer>, Integer> index = new HashMap<>();
    for (int[] at : Patterns.coordinates(inputs)) {
      index.put(List.of(at[0], at[1], at[2]), index.size());
    }
    Set<Pair> result = new HashSet<>();
    List<int[]> targets = Patterns.coordinates(outputs);
    int half = kernel.size() / 2;
    for (int output = 0; output < targets.size(); output++) {
      int[] at = targets.get(output);
      for (int dr = -half; dr <= half; dr++) {
        for (int dc = -half; dc <= half; dc++) {
          Integer input =
              index.get(
                  List.of(
                      at[0],
                      at[1] * kernel.stride() + dr * kernel.dilation(),
                      at[2] * kernel.stride() + dc * kernel.dilation()));
          if (input != null) {
            result.add(new Pair(output, dr + half + (dc + half) * kernel.size(), input));
          }
        }
      }
    }
    return result;
  }

  /** A batch gives each matrix the map that it has alone. */
  @Test
  void matricesOfABatchDoNotSeeEachOther() {
    try (HostDevice device = SitesTest.device("cpu");
        TensorScope scope = device.root().child("test")) {
      Sites.Pattern[] batch = {
        Patterns.random(30, 20, .5, 1), Patterns.random(1, 20, 1, 2), Patterns.random(25, 9, .9, 3)
      };
      ConvolutionKernel kernel = new ConvolutionKernel(5, 1, 1);
      Sites together = Sites.of(scope, batch);
      int[] masks =
          device.operators().pattern().neighborhoodMasks(together, kernel, scope).toInts();
      for (int b = 0; b < batch.length; b++) {
        Sites alone = Sites.of(scope, batch[b]);
        assertArrayEquals(
            device.operators().pattern().neighborhoodMasks(alone, kernel, scope).toInts(),
            Arrays.copyOfRange(
                masks, (int) together.firstSite(b), (int) together.firstSite(b + 1)));
      }
    }
  }

  @Test
  void columnsNearTheLargestIntAreNotLost() {
    try (HostDevice device = SitesTest.device("cpu");
        TensorScope scope = device.root().child("test")) {
      int last = Integer.MAX_VALUE - 1;
      Sites sites =
          Sites.of(
              scope,
              Patterns.of(1, Integer.MAX_VALUE, new int[] {0, last - 1}, new int[] {0, last}));
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      assertArrayEquals(
          new int[] {1 << 4 | 1 << 7, 1 << 1 | 1 << 4},
          device.operators().pattern().neighborhoodMasks(sites, kernel, scope).toInts());
      Sites coarse = device.operators().pattern().downsample(sites, 2, scope);
      ConvolutionKernel strided = new ConvolutionKernel(3, 2, 1);
      NeighborMap map = device.operators().pattern().neighbors(sites, coarse, strided, scope);
      assertInverse(expectedFar(), pairs(map.transposed()));
      assertEquals(expectedFar(), pairs(map));
    }
  }

  /** Columns 2^31 − 3 and 2^31 − 2 make the coarse columns 2^30 − 2 and 2^30 − 1. */
  private static Set<Pair> expectedFar() {
    return Set.of(new Pair(0, 7, 0), new Pair(1, 1, 0), new Pair(1, 4, 1));
  }
}
