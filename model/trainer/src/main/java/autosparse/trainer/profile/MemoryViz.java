package autosparse.trainer.profile;

import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryLedger.Action;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A step's allocations as a snapshot that PyTorch's memory viewer (memory_viz) opens. */
final class MemoryViz {
  /** Where the range lies; the viewer wants addresses above 0. */
  private static final long BASE = 1L << 32;

  private MemoryViz() {}

  static byte[] of(MatrixProfile profile) {
    List<Map<String, Object>> trace = new ArrayList<>();
    TreeMap<Long, MemoryLedger.Event> live = new TreeMap<>();
    long end = 0;
    for (int e = 0; e < profile.events().size(); e++) {
      MemoryLedger.Event event = profile.events().get(e);
      boolean allocated = event.action() == Action.ALLOCATE;
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("action", allocated ? "alloc" : "free_completed");
      entry.put("addr", BASE + event.offset());
      entry.put("size", event.bytes());
      entry.put("stream", 0);
      entry.put("time_us", e);
      entry.put("frames", frames(event));
      trace.add(entry);
      if (allocated) {
        live.put(event.offset(), event);
      } else {
        live.remove(event.offset());
      }
      end = Math.max(end, event.offset() + event.bytes());
    }
    Map<String, Object> snapshot = new LinkedHashMap<>();
    snapshot.put("segments", List.of(segment(live.values(), end)));
    snapshot.put("device_traces", List.of(trace));
    return Pickle.of(snapshot);
  }

  private static Map<String, Object> segment(Collection<MemoryLedger.Event> live, long end) {
    List<Map<String, Object>> blocks = new ArrayList<>();
    long at = 0;
    long allocated = 0;
    for (MemoryLedger.Event event : live) {
      if (event.offset() > at) {
        blocks.add(block(at, event.offset() - at, "inactive", List.of()));
      }
      blocks.add(block(event.offset(), event.bytes(), "active_allocated", frames(event)));
      at = event.offset() + event.bytes();
      allocated += event.bytes();
    }
    if (at < end) {
      blocks.add(block(at, end - at, "inactive", List.of()));
    }
    Map<String, Object> segment = new LinkedHashMap<>();
    segment.put("device", 0);
    segment.put("address", BASE);
    segment.put("total_size", end);
    segment.put("allocated_size", allocated);
    segment.put("active_size", allocated);
    segment.put("requested_size", allocated);
    segment.put("stream", 0);
    segment.put("segment_type", "large");
    segment.put("segment_pool_id", List.of(0, 0));
    segment.put("is_expandable", false);
    segment.put("frames", List.of());
    segment.put("blocks", blocks);
    return segment;
  }

  private static Map<String, Object> block(
      long offset, long bytes, String state, List<Map<String, Object>> frames) {
    Map<String, Object> block = new LinkedHashMap<>();
    block.put("address", BASE + offset);
    block.put("size", bytes);
    block.put("requested_size", bytes);
    block.put("state", state);
    block.put("frames", frames);
    return block;
  }

  private static List<Map<String, Object>> frames(MemoryLedger.Event event) {
    Map<String, Object> frame = new LinkedHashMap<>();
    frame.put("filename", event.tag().name().toLowerCase(java.util.Locale.ROOT));
    frame.put("line", 0);
    frame.put("name", event.name());
    return List.of(frame);
  }
}
