package autosparse.engine.memory;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The book of a device's allocations: live and peak bytes by tag always, every event when asked.
 *
 * <p>Bytes are as the allocator counts them, padding included, so that sums agree with its peak.
 */
public final class MemoryLedger {
  /** What happened. */
  public enum Action {
    /** A block was taken. */
    ALLOCATE,
    /** A block was given back. */
    FREE
  }

  /**
   * One event.
   *
   * @param part what the block was taken for, see {@link #within}; empty where nobody said
   * @param nanos {@link System#nanoTime()} of the event
   * @param liveBytes live bytes of the device after it
   */
  public record Event(
      long nanos,
      Action action,
      MemoryTag tag,
      String part,
      String name,
      long offset,
      long bytes,
      long liveBytes) {}

  private final Map<MemoryTag, Long> live = new EnumMap<>(MemoryTag.class);
  private final Map<MemoryTag, Long> peak = new EnumMap<>(MemoryTag.class);
  private final List<Event> events = new ArrayList<>();
  private Map<MemoryTag, Long> atPeak = new EnumMap<>(MemoryTag.class);
  private long liveBytes;
  private long peakBytes;
  private boolean recording;
  private String part = "";

  /** Parts of the blocks that were taken while events were kept, by offset. */
  private final Map<Long, String> parts = new HashMap<>();

  /**
   * Does some work on behalf of a part of the whole, such as a layer: blocks that are taken
   * meanwhile are noted as its, whoever gives them back.
   */
  public <T> T within(String name, Supplier<T> work) {
    String outer = part;
    part = name;
    try {
      return work.get();
    } finally {
      part = outer;
    }
  }

  /** The part on whose behalf work is done now; empty for none. */
  public String part() {
    return part;
  }

  /** Whether events are kept (they grow without bound while they are). */
  public void setRecording(boolean on) {
    recording = on;
  }

  /** Books a block that was taken. */
  public void allocated(MemoryTag tag, String name, long offset, long bytes) {
    long now = live.merge(tag, bytes, Long::sum);
    peak.merge(tag, now, Math::max);
    liveBytes += bytes;
    if (liveBytes > peakBytes) {
      peakBytes = liveBytes;
      atPeak = new EnumMap<>(live);
    }
    if (recording) {
      parts.put(offset, part);
      record(Action.ALLOCATE, tag, part, name, offset, bytes);
    }
  }

  /** Books a block that was given back. */
  public void freed(MemoryTag tag, String name, long offset, long bytes) {
    live.merge(tag, -bytes, Long::sum);
    liveBytes -= bytes;
    String takenFor = parts.remove(offset);
    if (recording) {
      record(Action.FREE, tag, takenFor == null ? "" : takenFor, name, offset, bytes);
    }
  }

  private void record(
      Action action, MemoryTag tag, String takenFor, String name, long offset, long bytes) {
    events.add(new Event(System.nanoTime(), action, tag, takenFor, name, offset, bytes, liveBytes));
  }

  /** Bytes held now. */
  public long liveBytes() {
    return liveBytes;
  }

  /** Bytes held now for one purpose. */
  public long liveBytes(MemoryTag tag) {
    return live.getOrDefault(tag, 0L);
  }

  /** Most bytes that were held at once. */
  public long peakBytes() {
    return peakBytes;
  }

  /** Most bytes that were held at once for one purpose. */
  public long peakBytes(MemoryTag tag) {
    return peak.getOrDefault(tag, 0L);
  }

  /** Forgets peaks: from here on they start at what is live now. */
  public void resetPeak() {
    peakBytes = liveBytes;
    atPeak = new EnumMap<>(live);
    peak.clear();
    peak.putAll(live);
  }

  /** Live bytes by tag at the moment of the peak; the values sum to {@link #peakBytes()}. */
  public Map<MemoryTag, Long> atPeak() {
    return new EnumMap<>(atPeak);
  }

  /** Starts new peaks at what is live now, and forgets the events so far. */
  public void restart() {
    peakBytes = liveBytes;
    peak.clear();
    peak.putAll(live);
    atPeak = new EnumMap<>(MemoryTag.class);
    atPeak.putAll(live);
    events.clear();
  }

  /** Events so far, oldest first. */
  public List<Event> events() {
    return List.copyOf(events);
  }
}
