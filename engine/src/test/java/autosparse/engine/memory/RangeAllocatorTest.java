package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RangeAllocatorTest {
  private static final int UNITS = 64;
  private static final long CAPACITY = UNITS * RangeAllocator.ALIGNMENT;

  /** The same rules over one flag a unit. */
  private static final class Model {
    final boolean[] used = new boolean[UNITS];

    int place(int units, boolean temporary) {
      for (int i = 0; i + units <= UNITS; i++) {
        int start = temporary ? UNITS - units - i : i;
        if (isFree(start, units)) {
          return start;
        }
      }
      return -1;
    }

    private boolean isFree(int start, int units) {
      for (int u = start; u < start + units; u++) {
        if (used[u]) {
          return false;
        }
      }
      return true;
    }

    void mark(int start, int units, boolean value) {
      for (int u = start; u < start + units; u++) {
        used[u] = value;
      }
    }

    int live() {
      int live = 0;
      for (boolean unit : used) {
        live += unit ? 1 : 0;
      }
      return live;
    }
  }

  private record Block(int start, int units) {}

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void followsTheModelOverRandomSequences(long seed) {
    Random random = new Random(seed);
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    Model model = new Model();
    List<Block> blocks = new ArrayList<>();
    int peak = 0;
    for (int step = 0; step < 5000; step++) {
      if (blocks.isEmpty() || random.nextInt(5) < 3) {
        int units = 1 + random.nextInt(8);
        boolean temporary = random.nextBoolean();
        long bytes = units * RangeAllocator.ALIGNMENT - random.nextInt(200);
        int expected = model.place(units, temporary);
        if (expected < 0) {
          assertThrows(
              OutOfDeviceMemoryException.class, () -> allocator.allocate(bytes, temporary));
        } else {
          assertEquals(expected * RangeAllocator.ALIGNMENT, allocator.allocate(bytes, temporary));
          model.mark(expected, units, true);
          blocks.add(new Block(expected, units));
        }
      } else {
        Block block = blocks.remove(random.nextInt(blocks.size()));
        allocator.free(block.start * RangeAllocator.ALIGNMENT);
        model.mark(block.start, block.units, false);
      }
      peak = Math.max(peak, model.live());
      assertEquals(model.live() * RangeAllocator.ALIGNMENT, allocator.liveBytes());
      assertEquals(peak * RangeAllocator.ALIGNMENT, allocator.peakBytes());
      assertEquals(blocks.size(), allocator.liveBlocks());
    }
  }

  @Test
  void tellsWhereATemporaryBlockWouldLie() {
    RangeAllocator allocator = new RangeAllocator(4096, MemoryBudget.FLAG);
    assertEquals(4096 - 512, allocator.temporaryOffset(500));
    long high = allocator.allocate(1024, true);
    long low = allocator.allocate(256, true);
    allocator.free(high);
    long peak = allocator.peakExtent();
    for (long bytes : new long[] {256, 1024, 2816}) {
      long expected = allocator.temporaryOffset(bytes);
      long offset = allocator.allocate(bytes, true);
      assertEquals(expected, offset);
      allocator.free(offset);
    }
    assertTrue(allocator.temporaryOffset(2816) < low);
    assertEquals(-1, allocator.temporaryOffset(2817));
    assertEquals(4096, allocator.peakExtent());
    assertEquals(1280, peak);
  }

  @Test
  void activationsStackUpFromTheBottomAndTemporariesDownFromTheTop() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    assertEquals(0, allocator.allocate(300, false));
    assertEquals(512, allocator.allocate(1, false));
    assertEquals(CAPACITY - 256, allocator.allocate(256, true));
    assertEquals(CAPACITY - 768, allocator.allocate(257, true));
    allocator.free(512);
    assertEquals(512, allocator.allocate(256, false));
  }

  @Test
  void neighboursOfAFreedBlockMerge() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    for (int b = 0; b < 4; b++) {
      allocator.allocate(CAPACITY / 4, false);
    }
    allocator.free(0);
    allocator.free(CAPACITY / 2);
    assertEquals(CAPACITY / 4, allocator.largestFree());
    allocator.free(CAPACITY / 4);
    assertEquals(CAPACITY / 4 * 3, allocator.largestFree());
    allocator.free(CAPACITY / 4 * 3);
    assertEquals(CAPACITY, allocator.largestFree());
  }

  @Test
  void fullRangeSaysWhatIsThereAndWhatToDo() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    allocator.allocate(CAPACITY - 1024, false);
    String message =
        assertThrows(OutOfDeviceMemoryException.class, () -> allocator.allocate(1025, true))
            .getMessage();
    for (String part : List.of("1280", "15360", "16384", "1024", "--memory-budget")) {
      assertTrue(message.contains(part), message);
    }
  }

  @Test
  void wrongUseIsRefused() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    long block = allocator.allocate(1, false);
    allocator.free(block);
    assertThrows(IllegalStateException.class, () -> allocator.free(block));
    assertThrows(IllegalArgumentException.class, () -> allocator.allocate(-1, false));
    assertThrows(IllegalArgumentException.class, () -> new RangeAllocator(-1, MemoryBudget.FLAG));
  }

  @Test
  void peakCanStartAnew() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    allocator.free(allocator.allocate(2048, false));
    allocator.allocate(256, false);
    allocator.resetPeak();
    assertEquals(256, allocator.peakBytes());
  }
}
