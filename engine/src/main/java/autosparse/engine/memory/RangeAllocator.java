package autosparse.engine.memory;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Deterministic allocator over one reserved range {@code [0, capacity)} of bytes.
 *
 * <p>Long-lived blocks take the lowest address that fits, temporaries the highest: saved
 * activations then behave as a stack at the bottom and temporaries as a stack at the top, and
 * neither fragments the other. Addresses depend on nothing but the sequence of calls, so the same
 * sequence on a planning device gives the same peak, to the byte. Not thread-safe: one thread
 * drives a device.
 */
public final class RangeAllocator {
  /** Every block starts at a multiple of this and is padded to it, in bytes. */
  public static final long ALIGNMENT = 256;

  private final long capacity;
  private final String flag;
  private final TreeMap<Long, Long> free = new TreeMap<>();
  private final TreeMap<Long, Long> used = new TreeMap<>();
  private final TreeSet<Long> temporaries = new TreeSet<>();
  private final TreeMap<Long, Long> lasting = new TreeMap<>();
  private long liveBytes;
  private long peakBytes;
  private long peakExtent;
  private long callsUntilFailure;

  /**
   * @param capacity size of the range in bytes; rounded down to a multiple of {@link #ALIGNMENT}
   * @param flag how the user names the limit that the range is part of
   */
  public RangeAllocator(long capacity, String flag) {
    if (capacity < 0) {
      throw new IllegalArgumentException("capacity " + capacity + ": expected >= 0 bytes");
    }
    this.capacity = capacity / ALIGNMENT * ALIGNMENT;
    this.flag = flag;
    if (this.capacity > 0) {
      free.put(0L, this.capacity);
    }
  }

  /**
   * Takes a block.
   *
   * @param bytes wanted size; zero is legal and takes one unit of alignment
   * @param temporary whether to take the highest address that fits instead of the lowest
   * @return the block's offset in the range
   * @throws OutOfDeviceMemoryException when no free block is large enough
   */
  public long allocate(long bytes, boolean temporary) {
    long padded = padded(bytes);
    if (callsUntilFailure > 0 && --callsUntilFailure == 0) {
      throw new OutOfDeviceMemoryException(padded, liveBytes, capacity, 0, flag);
    }
    Map.Entry<Long, Long> block = fitting(padded, temporary);
    if (block == null) {
      throw new OutOfDeviceMemoryException(padded, liveBytes, capacity, largestFree(), flag);
    }
    free.remove(block.getKey());
    long left = block.getValue() - padded;
    long offset = temporary ? block.getKey() + left : block.getKey();
    if (left > 0) {
      free.put(temporary ? block.getKey() : offset + padded, left);
    }
    used.put(offset, padded);
    if (temporary) {
      temporaries.add(offset);
    } else {
      lasting.put(offset, padded);
    }
    liveBytes += padded;
    peakBytes = Math.max(peakBytes, liveBytes);
    peakExtent = Math.max(peakExtent, extent());
    return offset;
  }

  private Map.Entry<Long, Long> fitting(long padded, boolean temporary) {
    Map.Entry<Long, Long> block = temporary ? free.lastEntry() : free.firstEntry();
    while (block != null && block.getValue() < padded) {
      block = temporary ? free.lowerEntry(block.getKey()) : free.higherEntry(block.getKey());
    }
    return block;
  }

  /** Where {@link #allocate} would put a temporary block now; -1 where none is large enough. */
  public long temporaryOffset(long bytes) {
    long padded = padded(bytes);
    Map.Entry<Long, Long> block = fitting(padded, true);
    return block == null ? -1 : block.getKey() + block.getValue() - padded;
  }

  /**
   * Lets a later call fail as if the range were full, once: for tests of what a failure leaves
   * behind.
   *
   * @param calls 1 for the next call; 0 for none
   */
  public void failAt(long calls) {
    callsUntilFailure = calls;
  }

  /**
   * Takes the block that starts at {@code offset}, all of which is free.
   *
   * @param bytes size; a multiple of {@link #ALIGNMENT}, as is the offset
   */
  public void take(long offset, long bytes) {
    Map.Entry<Long, Long> block = free.floorEntry(offset);
    if (block == null || block.getKey() + block.getValue() < offset + bytes) {
      throw new IllegalStateException(bytes + " bytes at offset " + offset + " are not free");
    }
    free.remove(block.getKey());
    if (block.getKey() < offset) {
      free.put(block.getKey(), offset - block.getKey());
    }
    long end = block.getKey() + block.getValue();
    if (offset + bytes < end) {
      free.put(offset + bytes, end - offset - bytes);
    }
    used.put(offset, bytes);
    temporaries.add(offset);
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
    peakExtent = Math.max(peakExtent, extent());
  }

  /** Gives a block back; its neighbours are merged with it. */
  public void free(long offset) {
    Long size = used.remove(offset);
    if (size == null) {
      throw new IllegalStateException("no block is allocated at offset " + offset);
    }
    temporaries.remove(offset);
    lasting.remove(offset);
    liveBytes -= size;
    long start = offset;
    long length = size;
    Map.Entry<Long, Long> below = free.lowerEntry(offset);
    if (below != null && below.getKey() + below.getValue() == offset) {
      start = below.getKey();
      length += below.getValue();
      free.remove(start);
    }
    Long above = free.remove(offset + size);
    if (above != null) {
      length += above;
    }
    free.put(start, length);
  }

  /** Bytes that a request of {@code bytes} takes from the range. */
  public static long padded(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("allocation of " + bytes + " bytes");
    }
    return Math.max(1, Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT) * ALIGNMENT;
  }

  public long capacity() {
    return capacity;
  }

  public long liveBytes() {
    return liveBytes;
  }

  public long peakBytes() {
    return peakBytes;
  }

  /** Bytes from the range's start to the last lasting block, and from the first temporary on. */
  private long extent() {
    Map.Entry<Long, Long> last = lasting.lastEntry();
    long bottom = last == null ? 0 : last.getKey() + last.getValue();
    long top = temporaries.isEmpty() ? 0 : capacity - temporaries.first();
    return bottom + top;
  }

  /**
   * Capacity that the calls so far would have fitted, holes included: at least {@link #peakBytes},
   * and a range of this size takes the same calls without a failure, at the same distances from its
   * ends.
   */
  public long peakExtent() {
    return peakExtent;
  }

  /** Starts a new peak at what is live now. */
  public void resetPeak() {
    peakBytes = liveBytes;
    peakExtent = extent();
  }

  public int liveBlocks() {
    return used.size();
  }

  public long largestFree() {
    long largest = 0;
    for (long size : free.values()) {
      largest = Math.max(largest, size);
    }
    return largest;
  }
}
