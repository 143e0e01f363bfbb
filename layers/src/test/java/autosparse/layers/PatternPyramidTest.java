package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.HostDevice;
import autosparse.engine.memory.OutOfDeviceMemoryException;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import org.junit.jupiter.api.Test;

/** Levels and maps are made once, and freed together. */
final class PatternPyramidTest {
  private static final ConvolutionKernel SAME = new ConvolutionKernel(3, 1, 1);
  private static final ConvolutionKernel HALF = new ConvolutionKernel(3, 2, 1);

  @Test
  void makesEachMapOnce() {
    try (Fixture f = Fixture.cpu(1);
        PatternPyramid pyramid =
            new PatternPyramid(f.scope, f.pattern(9, 9, 0.4), f.pattern(5, 5, 0.4))) {
      assertEquals(2, pyramid.batch());
      NeighborMap same = pyramid.map(0, SAME);
      NeighborMap half = pyramid.map(0, HALF);
      NeighborMap coarse = pyramid.map(1, SAME);
      assertSame(pyramid.sites(0), half.inputSites());
      assertSame(pyramid.sites(1), half.outputSites());
      assertSame(pyramid.sites(1), coarse.inputSites());
      assertEquals(2, pyramid.sites(1).stride());
      long bytes = pyramid.bytes();
      assertSame(same, pyramid.map(0, SAME));
      assertSame(half, pyramid.map(0, HALF));
      assertSame(coarse, pyramid.map(1, new ConvolutionKernel(3, 1, 1)));
      assertSame(pyramid.masks(SAME), pyramid.masks(SAME));
      assertTrue(pyramid.bytes() >= bytes);
    }
  }

  @Test
  void whatIsReleasedIsFreedAndMadeAgain() {
    try (Fixture f = Fixture.cpu(1);
        PatternPyramid pyramid = new PatternPyramid(f.scope, f.pattern(9, 9, 0.4))) {
      Sites coarse = pyramid.coarser(0, 2);
      long levels = pyramid.bytes();
      int[] neighbors = pyramid.map(0, HALF).inputs().toInts();
      pyramid.map(0, SAME);
      assertSame(coarse, pyramid.map(0, HALF).outputSites());
      pyramid.release(0, SAME);
      pyramid.release(0, SAME); // not there any more
      pyramid.release(0, HALF);
      assertEquals(levels, pyramid.bytes());
      assertArrayEquals(neighbors, pyramid.map(0, HALF).inputs().toInts());
    }
  }

  @Test
  void aLevelHasOneStride() {
    try (Fixture f = Fixture.cpu(1);
        PatternPyramid pyramid = new PatternPyramid(f.scope, f.pattern(9, 9, 0.4))) {
      pyramid.map(0, HALF);
      var error =
          assertThrows(
              IllegalArgumentException.class, () -> pyramid.map(0, new ConvolutionKernel(3, 3, 1)));
      assertTrue(error.getMessage().contains("strides or batches do not match"), error::toString);
    }
  }

  @Test
  void aPatternThatDoesNotFitLeavesNothingBehind() {
    long capacity = 1 << 16;
    int columns = 1 << 15;
    int[] all = java.util.stream.IntStream.range(0, columns).toArray();
    var row = new Sites.Pattern(1, columns, new long[] {0, columns}, all);
    try (HostDevice device =
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(1))) {
      assertThrows(OutOfDeviceMemoryException.class, () -> new PatternPyramid(device.root(), row));
      assertEquals(0, device.ledger().liveBytes());
    }
  }
}
