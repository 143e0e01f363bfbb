package autosparse.trainer;

import autosparse.schedule.Measurement;
import autosparse.schedule.Measurement.Draw;
import autosparse.trainer.options.CollectOptions;
import autosparse.trainer.run.Interrupts;
import autosparse.trainer.run.Progress;
import autosparse.trainer.run.Terminal;
import autosparse.tuner.collect.CollectStatistics;
import autosparse.tuner.collect.CollectTask;
import autosparse.tuner.collect.Collector;
import autosparse.tuner.collect.MachineFile;
import autosparse.tuner.collect.Merger;
import autosparse.tuner.measure.CRunnerMeasurer;
import autosparse.tuner.measure.Machine;
import autosparse.tuner.measure.TimingSettings;
import autosparse.tuner.measure.Toolchain;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The work of {@code collect}. */
final class Collecting {
  private final CollectOptions options;
  private final Main main;

  Collecting(CollectOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  /** {@code collect --merge}. */
  static int merge(Path dataSet, Main main) {
    Merger.Result result = Merger.merge(dataSet);
    main.print(
        String.format(
            Locale.ROOT,
            "%,d records of %s in %d files: %s",
            result.records(),
            result.workers().size() == 1
                ? "worker " + result.workers().get(0)
                : result.workers().size() + " workers",
            result.files(),
            dataSet.resolve("records")));
    if (!result.heldOut().isEmpty()) {
      main.print("--split base holds out " + String.join(", ", result.heldOut()));
    }
    return 0;
  }

  int run() {
    List<CollectTask> tasks = CollectTask.of(options.matrices(), options.ops());
    Machine machine =
        Machine.detect(
            Toolchain.find(options.measuring().compile().cc()), options.measuring().compile());
    main.interrupts().arm();
    long start = System.nanoTime();
    boolean finished;
    Listener listener = new Listener();
    try (CRunnerMeasurer measurer = new CRunnerMeasurer(options.measuring());
        Collector collector =
            Collector.open(
                options.out(),
                options.settings(),
                measuring(),
                options.resume(),
                measurer,
                listener)) {
      MachineFile.record(options.out(), options.settings().worker(), machine).forEach(main::warn);
      try (Progress progress =
          Progress.start(
              main.err(),
              Terminal.isInteractive(),
              "collect",
              collector.finished(tasks),
              Collector.total(tasks, options.settings()))) {
        listener.progress = progress;
        finished = collector.collect(tasks);
        if (!finished) {
          progress.message("saved; go on with --resume");
        }
      }
      main.print("measuring: " + measurer.timeSpent());
    }
    print(tasks, listener.count, (System.nanoTime() - start) / 60e9);
    if (!finished) {
      return Interrupts.EXIT_CODE;
    }
    if (Merger.workers(options.out()).size() == 1) {
      return merge(options.out(), main);
    }
    main.print("several workers: collect --merge --out " + options.out() + " joins them");
    return 0;
  }

  /** How schedules are measured, by option: what a resumed collection must share. */
  private Map<String, String> measuring() {
    TimingSettings timing = options.measuring().timing();
    Map<String, String> measuring = new LinkedHashMap<>();
    measuring.put("min-runs", String.valueOf(timing.minRuns()));
    measuring.put("max-runs", String.valueOf(timing.maxRuns()));
    measuring.put("min-total-ms", String.valueOf(timing.minTotalMs()));
    measuring.put("max-ms", String.valueOf(timing.maxMs()));
    measuring.put("cc", options.measuring().compile().cc());
    return measuring;
  }

  private void print(List<CollectTask> tasks, long measured, double minutes) {
    CollectStatistics statistics =
        CollectStatistics.of(options.out(), options.settings().worker(), tasks);
    main.print(
        String.format(
            Locale.ROOT,
            "%,d outcomes now, %.1f minutes, %.0f a minute; %,d in finished rounds, %,d with a time",
            measured,
            minutes,
            measured / Math.max(minutes, 1e-9),
            statistics.records(),
            statistics.timed()));
    if (!statistics.failures().isEmpty()) {
      main.print(
          "failures: "
              + statistics.failures().entrySet().stream()
                  .map(entry -> entry.getKey() + " " + entry.getValue())
                  .collect(Collectors.joining(", ")));
    }
    main.print("drawn:             " + shares(statistics.draws()));
    main.print("of the best tenth: " + shares(statistics.bestDraws()));
    main.print(
        Double.isNaN(statistics.medianSpeedup())
            ? "the best against plain CSR: no task has both yet"
            : String.format(
                Locale.ROOT,
                "the best against plain CSR: %.2f times as fast (median over tasks)",
                statistics.medianSpeedup()));
    main.print(
        statistics.repeats() == 0
            ? "the same schedule again: none was"
            : String.format(
                Locale.ROOT,
                "the same schedule again: a factor of %.3f (median of %d)",
                statistics.medianRepeatRatio(),
                statistics.repeats()));
  }

  private static String shares(Map<Draw, Long> draws) {
    return draws.keySet().stream()
        .map(
            draw ->
                String.format(
                    Locale.ROOT,
                    "%s %.0f %%",
                    draw.id(),
                    100 * CollectStatistics.share(draws, draw)))
        .collect(Collectors.joining(", "));
  }

  /** Shows progress and passes on the wish to end. */
  private final class Listener implements Collector.Observer {
    private Progress progress;
    private long count;

    @Override
    public void measured(Measurement record, long done, long total) {
      count++;
      progress.update(done, record.op().id() + "/" + record.matrix());
    }

    @Override
    public void warn(String line) {
      progress.message("warning: " + line);
    }

    @Override
    public boolean stopRequested() {
      return main.interrupts().requested();
    }
  }
}
