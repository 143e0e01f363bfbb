package autosparse.trainer.report;

import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryLedger.Action;
import autosparse.trainer.report.StackedChart.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What was live over a step's allocations, split by some key: the layers of a stacked picture. */
final class LiveBytes {
  /** Places of a picture. */
  private static final int PLACES = 300;

  /** Keys drawn by name; the rest are one layer. */
  private static final int NAMES = 14;

  private static final String BASE = "weights and optimiser";

  private final List<MemoryLedger.Event> events;
  private final long base;

  /** For each place, the event after which most was live: a picture shows every peak. */
  private final int[] shown;

  /**
   * @param events of a step, which leaves nothing behind
   * @param base bytes that are live before and after it
   */
  LiveBytes(List<MemoryLedger.Event> events, long base) {
    this.events = events;
    this.base = base;
    int places = Math.max(1, Math.min(PLACES, events.size()));
    this.shown = new int[places];
    Arrays.fill(shown, -1);
    for (int e = 0; e < events.size(); e++) {
      int place = (int) ((long) e * places / events.size());
      if (shown[place] < 0 || events.get(e).liveBytes() > events.get(shown[place]).liveBytes()) {
        shown[place] = e;
      }
    }
  }

  /** Layers from the lowest up, in the order in which their keys first appear. */
  List<Layer> by(Function<MemoryLedger.Event, String> key) {
    Map<String, long[]> series = new LinkedHashMap<>();
    Map<String, Long> live = new LinkedHashMap<>();
    int place = 0;
    for (int e = 0; e < events.size(); e++) {
      MemoryLedger.Event event = events.get(e);
      boolean allocated = event.action() == Action.ALLOCATE;
      live.merge(key.apply(event), allocated ? event.bytes() : -event.bytes(), Long::sum);
      if (place < shown.length && shown[place] == e) {
        int at = place;
        live.forEach(
            (name, bytes) ->
                series.computeIfAbsent(name, n -> new long[shown.length])[at] = Math.max(0, bytes));
        place++;
      }
    }
    Set<String> largest =
        series.entrySet().stream()
            .sorted((a, b) -> Long.compare(most(b.getValue()), most(a.getValue())))
            .limit(NAMES)
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    long[] lowest = new long[shown.length];
    Arrays.fill(lowest, base);
    List<Layer> layers = new ArrayList<>();
    layers.add(new Layer(BASE, lowest));
    long[] rest = new long[shown.length];
    series.forEach(
        (name, values) -> {
          if (largest.contains(name)) {
            layers.add(new Layer(name, values));
          } else {
            Arrays.setAll(rest, at -> rest[at] + values[at]);
          }
        });
    if (series.size() > NAMES) {
      layers.add(new Layer("others", rest));
    }
    return layers;
  }

  private static long most(long[] values) {
    return Arrays.stream(values).max().orElse(0);
  }
}
