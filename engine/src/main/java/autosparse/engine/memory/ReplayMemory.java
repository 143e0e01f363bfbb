package autosparse.engine.memory;

import java.util.Map;
import java.util.TreeMap;

/**
 * The memory that captured pieces of work use when they are replayed: the union of all blocks that
 * any of them had. Held as blocks of the allocator, so that nothing else is placed there.
 */
final class ReplayMemory {
  private static final String NAME = "memory of captured work";

  private final RangeAllocator allocator;
  private final MemoryLedger ledger;

  /** Held intervals, apart from each other: start to end, in bytes. */
  private final TreeMap<Long, Long> held = new TreeMap<>();

  private int pieces;
  private boolean extending;

  ReplayMemory(RangeAllocator allocator, MemoryLedger ledger) {
    this.allocator = allocator;
    this.ledger = ledger;
  }

  boolean isExtending() {
    return extending;
  }

  /** Runs a piece in the held memory and what it needs besides, and holds that too. */
  void extend(Runnable piece) {
    if (extending) {
      throw new IllegalStateException("captured work inside captured work");
    }
    giveBack();
    long before = allocator.liveBytes();
    long left;
    extending = true;
    try {
      piece.run();
    } finally {
      extending = false;
      left = allocator.liveBytes() - before;
      if (left == 0) {
        takeBack();
      } else {
        held.clear();
      }
    }
    if (left != 0) {
      throw new IllegalStateException("captured work leaves " + left + " bytes behind");
    }
    pieces++;
  }

  /** Adds a block that the running piece has. */
  void note(long offset, long bytes) {
    long start = offset;
    long end = offset + bytes;
    Map.Entry<Long, Long> other = held.floorEntry(end);
    while (other != null && other.getValue() >= start) {
      start = Math.min(start, other.getKey());
      end = Math.max(end, other.getValue());
      held.remove(other.getKey());
      other = held.floorEntry(end);
    }
    held.put(start, end);
  }

  /** One piece less; the last one lets go of the memory. */
  void release() {
    pieces--;
    if (pieces == 0) {
      giveBack();
      held.clear();
    }
  }

  private void giveBack() {
    held.forEach(
        (start, end) -> {
          allocator.free(start);
          ledger.freed(MemoryTag.WORKSPACE, NAME, start, end - start);
        });
  }

  private void takeBack() {
    held.forEach(
        (start, end) -> {
          allocator.take(start, end - start);
          ledger.allocated(MemoryTag.WORKSPACE, NAME, start, end - start);
        });
  }
}
