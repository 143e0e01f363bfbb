package autosparse.tuner.collect;

import autosparse.schedule.Measurement;
import autosparse.schedule.Measurement.Draw;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a worker has collected.
 *
 * @param records outcomes, repeats included
 * @param timed those that have a time
 * @param failures number of outcomes by kind of failure
 * @param draws number of schedules by how they were drawn, without repeats
 * @param bestDraws the same among the best tenth of each task's timed schedules
 * @param repeats schedules measured twice
 * @param medianRepeatRatio median over them of slower / faster measurement; NaN if there are none
 * @param medianSpeedup median over tasks of plain CSR's time / the best one's; NaN if no task has
 *     both
 */
public record CollectStatistics(
    long records,
    long timed,
    Map<String, Long> failures,
    Map<Draw, Long> draws,
    Map<Draw, Long> bestDraws,
    long repeats,
    double medianRepeatRatio,
    double medianSpeedup) {

  /** One in so many of a task's schedules counts as one of its best; at least one does. */
  private static final int BEST_OF = 10;

  /** Reads what a worker has collected for some tasks. */
  public static CollectStatistics of(Path dataSet, String worker, List<CollectTask> tasks) {
    Shards shards = new Shards(dataSet.resolve(Shards.FOLDER).resolve(worker));
    return of(tasks.stream().map(shards::read).toList());
  }

  /** From the records of each task. */
  static CollectStatistics of(List<List<Measurement>> tasks) {
    long records = 0;
    long timed = 0;
    Map<String, Long> failures = new TreeMap<>();
    Map<Draw, Long> draws = new EnumMap<>(Draw.class);
    Map<Draw, Long> bestDraws = new EnumMap<>(Draw.class);
    List<Double> ratios = new ArrayList<>();
    List<Double> speedups = new ArrayList<>();
    for (List<Measurement> task : tasks) {
      Map<String, Double> first = new HashMap<>();
      List<Measurement> ranked = new ArrayList<>();
      double plain = Double.NaN;
      for (Measurement record : task) {
        records++;
        record.failure().ifPresent(reason -> failures.merge(reason.kind(), 1L, Long::sum));
        timed += record.isTimed() ? 1 : 0;
        String schedule = record.schedule().encode();
        Draw draw = record.origin().draw();
        if (draw == Draw.REPEAT) {
          if (record.isTimed() && first.containsKey(schedule)) {
            double before = first.get(schedule);
            double again = record.medianMs();
            ratios.add(Math.max(before, again) / Math.min(before, again));
          }
          continue;
        }
        draws.merge(draw, 1L, Long::sum);
        if (record.isTimed()) {
          first.put(schedule, record.medianMs());
          ranked.add(record);
          plain = draw == Draw.PLAIN ? record.medianMs() : plain;
        }
      }
      ranked.sort(Comparator.comparingDouble(Measurement::medianMs));
      ranked.stream()
          .limit(ranked.isEmpty() ? 0 : Math.max(1, ranked.size() / BEST_OF))
          .forEach(best -> bestDraws.merge(best.origin().draw(), 1L, Long::sum));
      if (!Double.isNaN(plain)) {
        speedups.add(plain / ranked.get(0).medianMs());
      }
    }
    return new CollectStatistics(
        records,
        timed,
        failures,
        draws,
        bestDraws,
        ratios.size(),
        median(ratios),
        median(speedups));
  }

  private static double median(List<Double> values) {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  /** Share of a kind of draw among schedules, 0 to 1; 0 where there are none. */
  public static double share(Map<Draw, Long> draws, Draw draw) {
    long all = draws.values().stream().mapToLong(Long::longValue).sum();
    return all == 0 ? 0 : (double) draws.getOrDefault(draw, 0L) / all;
  }
}
