package autosparse.engine.memory;

/**
 * Hands out a device's range: allocator and ledger together, and the guards that tests ask for.
 *
 * <p>With guards, every block lies between sentinels that are checked when it is given back, and is
 * filled with NaN: finds overruns and reads of memory that nobody wrote.
 */
public final class DeviceBlocks {
  private static final int GUARD_BYTES = (int) RangeAllocator.ALIGNMENT;
  private static final int SENTINEL = 0xFFFDFFA5; // NaN in double, float and both halves

  private final DeviceMemory memory;
  private final RangeAllocator allocator;
  private final MemoryLedger ledger = new MemoryLedger();
  private final boolean guarded;
  private ReplayMemory replay;

  /**
   * @param guarded whether blocks lie between sentinels
   * @param flag how the user names the limit of the memory
   */
  public DeviceBlocks(DeviceMemory memory, boolean guarded, String flag) {
    this.memory = memory;
    this.allocator = new RangeAllocator(memory.capacity(), flag);
    this.guarded = guarded;
  }

  public RangeAllocator allocator() {
    return allocator;
  }

  public MemoryLedger ledger() {
    return ledger;
  }

  /** Whether blocks lie between sentinels. */
  public boolean isGuarded() {
    return guarded;
  }

  /**
   * Runs {@code work} and keeps all memory that it takes and gives back for later runs of the same
   * work at the same addresses: nobody else gets it until {@link #endReplays} was called as often.
   * Pieces of work, which never run at the same time, share it. It lies at the end of the range,
   * where it fragments nothing.
   *
   * @throws IllegalStateException when the work leaves a block behind
   */
  public void keepForReplays(Runnable work) {
    if (replay == null) {
      replay = new ReplayMemory(allocator, ledger);
    }
    replay.extend(work);
  }

  /** One piece of {@link #keepForReplays} will not run again. */
  public void endReplays() {
    replay.release();
  }

  private int guard() {
    return guarded ? GUARD_BYTES : 0;
  }

  /** Takes a block; returns the offset of its first byte. */
  public long allocate(long bytes, MemoryTag tag, String name) {
    long padded = RangeAllocator.padded(bytes);
    boolean replayed = replay != null && replay.isExtending();
    long start = allocator.allocate(padded + 2L * guard(), tag.isTemporary() || replayed);
    if (replayed) {
      replay.note(start, padded + 2L * guard());
    }
    ledger.allocated(tag, name, start + guard(), padded);
    if (guarded) {
      memory.fill(start, SENTINEL, (padded + 2L * GUARD_BYTES) / 4);
    }
    return start + guard();
  }

  /**
   * Gives a block back.
   *
   * @param what its tensor, as a message names it
   * @throws IllegalStateException when a sentinel was overwritten
   */
  public void free(long offset, long bytes, MemoryTag tag, String name, Object what) {
    long padded = RangeAllocator.padded(bytes);
    if (guarded) {
      checkSentinels(what, offset, bytes, offset - GUARD_BYTES, offset);
      checkHalf(what, offset, bytes);
      long end = (offset + bytes + 3) / 4 * 4;
      checkSentinels(what, offset, bytes, end, offset + padded + GUARD_BYTES);
    }
    allocator.free(offset - guard());
    ledger.freed(tag, name, offset, padded);
  }

  /** The second half of a word whose first half is the block's last element of 16 bits. */
  private void checkHalf(Object what, long offset, long bytes) {
    if (bytes % 4 == 2) {
      short[] half = new short[1];
      memory.read(offset + bytes, half, 0, 1);
      if (half[0] != (short) (SENTINEL >>> 16)) {
        throw overwritten(what, bytes, bytes);
      }
    }
  }

  private static IllegalStateException overwritten(Object what, long at, long bytes) {
    return new IllegalStateException(
        "memory around " + what + " was overwritten at byte " + at + " of its " + bytes);
  }

  private void checkSentinels(Object what, long offset, long bytes, long from, long to) {
    int[] words = new int[(int) ((to - from) / 4)];
    memory.read(from, words, 0, words.length);
    for (int i = 0; i < words.length; i++) {
      if (words[i] != SENTINEL) {
        throw overwritten(what, from + 4L * i - offset, bytes);
      }
    }
  }
}
