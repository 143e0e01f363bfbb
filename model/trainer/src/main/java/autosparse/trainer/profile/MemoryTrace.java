package autosparse.trainer.profile;

import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryLedger.Action;
import autosparse.engine.memory.MemoryTag;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A step's allocations as a Chrome trace, which Perfetto opens: live bytes by tag as counters, each
 * tensor as a span on its tag's track. A planned step has no time: one allocation is a microsecond.
 */
final class MemoryTrace {
  private MemoryTrace() {}

  static String of(MatrixProfile profile) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    ArrayNode events = json.arrayNode();
    Map<MemoryTag, Long> live = new EnumMap<>(MemoryTag.class);
    Map<Long, Integer> started = new HashMap<>();
    for (int e = 0; e < profile.events().size(); e++) {
      MemoryLedger.Event event = profile.events().get(e);
      boolean allocated = event.action() == Action.ALLOCATE;
      live.merge(event.tag(), allocated ? event.bytes() : -event.bytes(), Long::sum);
      ObjectNode counter = events.addObject();
      counter.put("name", "live bytes").put("ph", "C").put("ts", e).put("pid", 1);
      ObjectNode values = counter.putObject("args");
      live.forEach((tag, bytes) -> values.put(name(tag), bytes));
      if (allocated) {
        started.put(event.offset(), e);
      } else if (started.containsKey(event.offset())) {
        int from = started.remove(event.offset());
        ObjectNode span = events.addObject();
        span.put("name", event.name()).put("cat", name(event.tag())).put("ph", "X");
        span.put("ts", from).put("dur", e - from).put("pid", 1).put("tid", track(event.tag()));
        span.putObject("args").put("bytes", event.bytes()).put("offset", event.offset());
      }
    }
    for (MemoryTag tag : MemoryTag.values()) {
      ObjectNode track = events.addObject();
      track.put("name", "thread_name").put("ph", "M").put("pid", 1).put("tid", track(tag));
      track.putObject("args").put("name", name(tag));
    }
    ObjectNode trace = json.objectNode();
    trace.set("traceEvents", events);
    return trace.toString();
  }

  private static int track(MemoryTag tag) {
    return List.of(MemoryTag.values()).indexOf(tag);
  }

  private static String name(MemoryTag tag) {
    return tag.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
