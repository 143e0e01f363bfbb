package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory that captured pieces of work keep between their runs. */
class ReplayMemoryTest {
  private static final long UNIT = RangeAllocator.ALIGNMENT;
  private static final long CAPACITY = 64 * UNIT;

  private final HostMemory memory = new HostMemory(CAPACITY);
  private final DeviceBlocks blocks = new DeviceBlocks(memory, false, MemoryBudget.FLAG);

  @AfterEach
  void release() {
    memory.close();
  }

  private long take(MemoryTag tag, int units) {
    return blocks.allocate(units * UNIT, tag, "block");
  }

  private void free(MemoryTag tag, long offset, int units) {
    blocks.free(offset, units * UNIT, tag, "block", "block");
  }

  /** Takes blocks of these sizes, then frees them in order; returns where they were. */
  private List<Long> piece(int... units) {
    List<Long> offsets = new ArrayList<>();
    for (int size : units) {
      offsets.add(take(MemoryTag.ACTIVATION, size));
    }
    for (int b = 0; b < units.length; b++) {
      free(MemoryTag.ACTIVATION, offsets.get(b), units[b]);
    }
    return offsets;
  }

  @Test
  void nobodyGetsWhatAPieceUsed() {
    long saved = take(MemoryTag.ACTIVATION, 5);
    List<Long> used = new ArrayList<>();
    blocks.keepForReplays(() -> used.addAll(piece(3, 2, 4)));
    assertEquals(List.of(61 * UNIT, 59 * UNIT, 55 * UNIT), used, "from the end of the range");
    assertEquals(14 * UNIT, blocks.allocator().liveBytes());
    assertEquals(9 * UNIT, blocks.ledger().liveBytes(MemoryTag.WORKSPACE));
    assertEquals(50 * UNIT, blocks.allocator().largestFree());
    assertEquals(54 * UNIT, take(MemoryTag.WORKSPACE, 1), "in front of it");
    blocks.endReplays();
    assertEquals(55 * UNIT, take(MemoryTag.WORKSPACE, 9));
    assertEquals(0, saved);
  }

  @Test
  void piecesShareTheirMemory() {
    blocks.keepForReplays(() -> piece(3, 2));
    blocks.keepForReplays(() -> piece(4));
    assertEquals(5 * UNIT, blocks.allocator().liveBytes(), "the second has room in the first's");
    blocks.keepForReplays(() -> piece(4, 4));
    assertEquals(8 * UNIT, blocks.allocator().liveBytes());
    blocks.endReplays();
    blocks.endReplays();
    assertEquals(8 * UNIT, blocks.allocator().liveBytes(), "one piece is left");
    blocks.endReplays();
    assertEquals(0, blocks.allocator().liveBytes());
    assertEquals(0, blocks.ledger().liveBytes());
  }

  @Test
  void blocksApartAreHeldApart() {
    long[] between = new long[1];
    blocks.keepForReplays(
        () -> {
          long first = take(MemoryTag.WORKSPACE, 2);
          free(MemoryTag.WORKSPACE, first, 2);
        });
    between[0] = take(MemoryTag.WORKSPACE, 1);
    blocks.keepForReplays(() -> piece(2, 3));
    assertEquals(6 * UNIT, blocks.allocator().liveBytes());
    free(MemoryTag.WORKSPACE, between[0], 1);
    assertEquals(between[0], take(MemoryTag.WORKSPACE, 1), "the gap is nobody's");
    assertEquals(58 * UNIT, blocks.allocator().largestFree());
  }

  @Test
  void whatAPieceLeavesBehindIsRefused() {
    String message =
        assertThrows(
                IllegalStateException.class,
                () -> blocks.keepForReplays(() -> take(MemoryTag.ACTIVATION, 2)))
            .getMessage();
    assertEquals("captured work leaves 512 bytes behind", message);
    assertThrows(
        IllegalStateException.class,
        () -> blocks.keepForReplays(() -> blocks.keepForReplays(() -> {})));
  }

  @Test
  void failedPieceLeavesTheOthersTheirMemory() {
    blocks.keepForReplays(() -> piece(3));
    OutOfDeviceMemoryException thrown =
        assertThrows(
            OutOfDeviceMemoryException.class, () -> blocks.keepForReplays(() -> piece(65)));
    assertTrue(thrown.getMessage().contains("wanted"), thrown.getMessage());
    assertEquals(3 * UNIT, blocks.allocator().liveBytes());
    blocks.endReplays();
    assertEquals(0, blocks.allocator().liveBytes());
  }

  @Test
  void onlyFreeBlocksCanBeTaken() {
    RangeAllocator allocator = new RangeAllocator(CAPACITY, MemoryBudget.FLAG);
    allocator.take(10 * UNIT, 5 * UNIT);
    assertThrows(IllegalStateException.class, () -> allocator.take(12 * UNIT, UNIT));
    assertThrows(IllegalStateException.class, () -> allocator.take(9 * UNIT, 2 * UNIT));
    assertThrows(IllegalStateException.class, () -> allocator.take(63 * UNIT, 2 * UNIT));
    allocator.take(9 * UNIT, UNIT);
    allocator.take(15 * UNIT, 49 * UNIT);
    assertEquals(9 * UNIT, allocator.largestFree());
    allocator.free(10 * UNIT);
    allocator.free(9 * UNIT);
    allocator.free(15 * UNIT);
    assertEquals(CAPACITY, allocator.largestFree());
    assertEquals(0, allocator.liveBlocks());
  }
}
