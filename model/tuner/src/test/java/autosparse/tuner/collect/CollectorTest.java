package autosparse.tuner.collect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.Dataset;
import autosparse.schedule.InputException;
import autosparse.schedule.Measurement;
import autosparse.schedule.Measurement.Draw;
import autosparse.schedule.Op;
import autosparse.schedule.Schedule;
import autosparse.schedule.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CollectorTest {
  private static final CollectSettings SETTINGS = new CollectSettings(10, 4, 0.5, 0.5, 2, 1, "w");
  private static final Map<String, String> MEASURING = Map.of("max-ms", "100.0");

  @TempDir Path temporary;
  private Path matrices;
  private List<CollectTask> tasks;

  /** Hears everything and stops after a number of outcomes. */
  private static final class Listener implements Collector.Observer {
    private final int stopAfter;
    private final List<Measurement> heard = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private long done;
    private long total;

    Listener(int stopAfter) {
      this.stopAfter = stopAfter;
    }

    @Override
    public void measured(Measurement record, long nowDone, long nowTotal) {
      heard.add(record);
      done = nowDone;
      total = nowTotal;
    }

    @Override
    public void warn(String line) {
      warnings.add(line);
    }

    @Override
    public boolean stopRequested() {
      return heard.size() >= stopAfter;
    }
  }

  @BeforeEach
  void writeMatrices() throws IOException {
    matrices = Files.createDirectories(temporary.resolve("matrices"));
    Files.writeString(
        matrices.resolve("a.mtx"),
        "%%MatrixMarket matrix coordinate pattern general\n20 30 4\n1 1\n2 30\n19 7\n20 1\n");
    Files.writeString(
        matrices.resolve("b_2x2_0.mtx"),
        "%%MatrixMarket matrix coordinate pattern general\n1 1 1\n1 1\n");
    tasks = CollectTask.of(matrices, List.of(Op.SPMM, Op.SPMV));
  }

  private boolean collect(Path out, boolean resume, FakeMeasurer measurer, Listener listener) {
    return collect(out, SETTINGS, resume, measurer, listener, Disk.REAL);
  }

  private boolean collect(
      Path out,
      CollectSettings settings,
      boolean resume,
      FakeMeasurer measurer,
      Listener listener,
      Disk disk) {
    try (Collector collector =
        Collector.open(out, settings, MEASURING, resume, measurer, listener, disk)) {
      return collector.collect(tasks);
    }
  }

  private Path undisturbed() {
    Path out = temporary.resolve("undisturbed");
    assertTrue(collect(out, false, new FakeMeasurer(), new Listener(Integer.MAX_VALUE)));
    return out;
  }

  /** Every file of a folder with its bytes, except locks. */
  private static Map<String, String> contents(Path folder) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith(".lock")) {
          contents.put(
              folder.relativize(file).toString(),
              Base64.getEncoder().encodeToString(Files.readAllBytes(file)));
        }
      }
    }
    return contents;
  }

  @Test
  void aTaskHasPlainCsrClassicsUniformDrawsMutationsAndRepeats() {
    Path out = undisturbed();
    for (CollectTask task : tasks) {
      List<Measurement> records = new Shards(out.resolve("shards/w")).read(task);
      assertEquals(Schedule.noOp(task.op(), 2, 1), records.get(0).schedule(), task.id());
      assertEquals(Draw.PLAIN, records.get(0).origin().draw());
      assertEquals(10, RoundPlanner.distinct(records), task.id());
      Set<Schedule> once = new HashSet<>();
      Set<Schedule> again = new HashSet<>();
      Set<Draw> draws = new HashSet<>();
      for (Measurement record : records) {
        draws.add(record.origin().draw());
        assertEquals(0.5, record.origin().mutationShare());
        assertEquals("w", record.origin().worker());
        boolean repeat = record.origin().draw() == Draw.REPEAT;
        assertTrue((repeat ? again : once).add(record.schedule().canonical()), "twice: " + record);
      }
      assertTrue(once.containsAll(again), task.id());
      assertEquals(3, again.size(), "half of the 4 + 2 new ones of later rounds");
      assertTrue(draws.containsAll(Set.of(Draw.CLASSIC, Draw.UNIFORM, Draw.MUTATION)));
    }
  }

  @Test
  void progressCountsEverythingOnce() {
    Listener listener = new Listener(Integer.MAX_VALUE);
    collect(temporary.resolve("o"), false, new FakeMeasurer(), listener);
    assertEquals(4 * 13, listener.total);
    assertEquals(4 * 13, listener.done);
    assertEquals(4 * 13, listener.heard.size());
  }

  /** A crash or a full disk at every step that touches a file, then going on: the same bytes. */
  @ParameterizedTest
  @EnumSource(FaultyDisk.Manner.class)
  void whateverStepIsTheLastResumingGivesTheUndisturbedResult(FaultyDisk.Manner manner)
      throws IOException {
    tasks = CollectTask.of(matrices, List.of(Op.SPMV));
    Map<String, String> expected = contents(undisturbed());
    int measured = 2 * 13;
    boolean struck = true;
    int faults = 0;
    for (long fatal = 2; struck; fatal++) {
      Path out = temporary.resolve(manner + "-" + fatal);
      FaultyDisk disk = new FaultyDisk(fatal, manner);
      Map<String, Integer> calls = new HashMap<>();
      FakeMeasurer measurer = new FakeMeasurer(calls);
      Listener listener = new Listener(Integer.MAX_VALUE);
      struck = false;
      try {
        collect(out, SETTINGS, false, measurer, listener, disk);
      } catch (FileWriteException full) {
        assertTrue(full.getMessage().contains("No space left on device"), full.getMessage());
        struck = true;
        faults++;
        assertTrue(collect(out, true, measurer, new Listener(Integer.MAX_VALUE)));
      }
      assertEquals(disk.struck(), struck);
      assertEquals(expected, contents(out), manner + " at step " + fatal);
      int all = calls.values().stream().mapToInt(Integer::intValue).sum();
      assertTrue(all <= measured + 1, "at most the outcome whose line was torn is measured again");
    }
    // Each outcome is a step, and each round two more.
    assertEquals(measured + 2 * 6, faults);
  }

  @Test
  void stoppingAfterEveryOutcomeLosesNothingAndDoesNothingTwice() throws IOException {
    Map<String, String> expected = contents(undisturbed());
    Path out = temporary.resolve("stopped");
    FakeMeasurer measurer = new FakeMeasurer();
    boolean finished = false;
    int processes = 0;
    while (!finished) {
      Listener listener = new Listener(1);
      finished = collect(out, processes > 0, measurer, listener);
      processes++;
    }
    assertEquals(4 * 13 + 1, processes);
    assertEquals(expected, contents(out));
    assertEquals(4 * 13, measurer.calls().values().stream().mapToInt(Integer::intValue).sum());
  }

  @Test
  void aTornLastLineIsMeasuredAgain() throws IOException {
    Map<String, String> expected = contents(undisturbed());
    Path out = temporary.resolve("torn");
    collect(out, false, new FakeMeasurer(), new Listener(3));
    Path journal = out.resolve("shards/w/spmm/a/journal.jsonl");
    String text = Files.readString(journal);
    assertEquals(3, text.lines().count());
    for (String damaged :
        List.of(
            text.substring(0, text.length() - 1),
            text.substring(0, text.length() - 20),
            text.substring(0, text.length() - 20) + "\0\0\0\0\n",
            text + "{\"op\":\"spm",
            "")) {
      Files.writeString(journal, damaged);
      Path copy = temporary.resolve("torn" + damaged.length());
      copy(out, copy);
      assertTrue(collect(copy, true, new FakeMeasurer(), new Listener(Integer.MAX_VALUE)));
      assertEquals(expected, contents(copy));
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  @Test
  void aRunnerThatIsKilledCostsNoSchedule() throws IOException {
    Map<String, String> expected = contents(undisturbed());
    FakeMeasurer measurer = new FakeMeasurer();
    measurer.crashOnce(Schedule.noOp(Op.SPMM, 2, 1).encode());
    Path out = temporary.resolve("crashed");
    collect(out, false, measurer, new Listener(Integer.MAX_VALUE));
    assertEquals(expected, contents(out));
    measurer.crashOnce(Schedule.noOp(Op.SPMM, 2, 1).encode());
    measurer.crashOnce(Schedule.noOp(Op.SPMM, 2, 1).encode());
    Path twice = temporary.resolve("crashed-twice");
    collect(twice, false, measurer, new Listener(Integer.MAX_VALUE));
    Measurement record = new Shards(twice.resolve("shards/w")).read(tasks.get(0)).get(0);
    assertEquals("crash", record.failure().orElseThrow().kind());
    assertEquals("signal 9", record.failure().orElseThrow().detail());
  }

  @Test
  void moreSchedulesMayBeAskedForLater() throws IOException {
    CollectSettings eight = new CollectSettings(8, 4, 0.5, 0.5, 2, 1, "w");
    CollectSettings twelve = new CollectSettings(12, 4, 0.5, 0.5, 2, 1, "w");
    Path grown = temporary.resolve("grown");
    Listener listener = new Listener(Integer.MAX_VALUE);
    collect(grown, eight, false, new FakeMeasurer(), listener, Disk.REAL);
    collect(grown, twelve, true, new FakeMeasurer(), listener, Disk.REAL);
    Path straight = temporary.resolve("straight");
    collect(straight, twelve, false, new FakeMeasurer(), listener, Disk.REAL);
    assertEquals(contents(straight), contents(grown));
  }

  @Test
  void workersDrawDifferentSchedulesAndMergeIntoOneDataSet() throws IOException {
    Path out = undisturbed();
    CollectSettings other = new CollectSettings(10, 4, 0.5, 0.5, 2, 1, "v");
    collect(out, other, false, new FakeMeasurer(), new Listener(Integer.MAX_VALUE), Disk.REAL);
    Set<String> uniform = new HashSet<>();
    long draws = 0;
    for (String worker : List.of("v", "w")) {
      for (Measurement record : new Shards(out.resolve("shards/" + worker)).read(tasks.get(0))) {
        if (record.origin().draw() == Draw.UNIFORM) {
          uniform.add(record.schedule().encode());
          draws++;
        }
      }
    }
    assertEquals(draws, uniform.size());
    Merger.Result result = Merger.merge(out);
    assertEquals(List.of("v", "w"), result.workers());
    assertEquals(4, result.files());
    assertEquals(2 * 4 * 13, result.records());
    Map<String, String> merged = contents(out);
    Merger.merge(out);
    assertEquals(merged, contents(out));
    Dataset data = Dataset.load(out, List.of(Op.SPMM, Op.SPMV));
    assertEquals(2 * 4 * 13, data.counts().lines());
    assertTrue(data.counts().failed() > 0);
    assertEquals(
        data.counts().lines() - data.counts().failed(),
        data.counts().merged() + data.counts().unique());
    assertEquals(List.of("a", "b"), data.baseNames());
    assertEquals(1, data.noise(Op.SPMM).medianRatio(), "the same time again");
    assertEquals(1, result.heldOut().size());
    // Three runs of one measurement are one measurement.
    int most = 0;
    for (Task task : data.tasks()) {
      for (int index = 0; index < task.size(); index++) {
        most = Math.max(most, task.repeats(index));
      }
    }
    assertTrue(most >= 2 && most <= 4, "two workers, each at most twice: " + most);
  }

  @Test
  void statisticsCountDrawsFailuresAndNoise() {
    CollectStatistics statistics = CollectStatistics.of(undisturbed(), "w", tasks);
    assertEquals(52, statistics.records());
    assertEquals(
        statistics.records() - statistics.timed(), statistics.failures().get("storage_cap"));
    assertEquals(40, statistics.draws().values().stream().mapToLong(Long::longValue).sum());
    assertEquals(4, statistics.draws().get(Draw.PLAIN));
    assertEquals(1, statistics.medianRepeatRatio());
    assertEquals(4, statistics.bestDraws().values().stream().mapToLong(Long::longValue).sum());
    assertTrue(statistics.medianSpeedup() >= 1);
  }

  @Test
  void refusals() {
    Path out = undisturbed();
    refused(() -> collect(out, false, new FakeMeasurer(), new Listener(1)), "--resume goes on");
    refused(
        () -> collect(temporary.resolve("new"), true, new FakeMeasurer(), new Listener(1)),
        "holds no collection of worker w");
    assertFalse(Files.exists(temporary.resolve("new")));
    CollectSettings seeded = new CollectSettings(10, 4, 0.5, 0.5, 2, 9, "w");
    refused(
        () -> collect(out, seeded, true, new FakeMeasurer(), new Listener(1), Disk.REAL),
        "--seed 9: the collection was begun with 1");
    try (Collector first =
        Collector.open(
            out, SETTINGS, MEASURING, true, new FakeMeasurer(), new Listener(1), Disk.REAL)) {
      assertTrue(first.finished(tasks) > 0);
      refused(() -> collect(out, true, new FakeMeasurer(), new Listener(1)), "is in use by");
    }
    refused(() -> new CollectSettings(10, 4, 1.5, 0, 2, 1, "w"), "--mutations: 1.5, expected");
    refused(() -> new CollectSettings(10, 4, 0, 0, 2, 1, "../w"), "--worker: ../w, expected");
    refused(() -> CollectTask.of(temporary.resolve("none"), List.of(Op.SPMM)), "no such folder");
    refused(() -> CollectTask.of(out, List.of(Op.SPMM)), "no matrices");
    refused(() -> Merger.merge(matrices), "no shards to merge");
  }

  @Test
  void aLostShardIsNoticed() throws IOException {
    Path out = undisturbed();
    Files.delete(out.resolve("shards/w/spmm/a/round-0001.jsonl.gz"));
    refused(() -> Merger.merge(out), "round-0001.jsonl.gz: missing");
    refused(
        () -> collect(out, true, new FakeMeasurer(), new Listener(Integer.MAX_VALUE)),
        "round-0001.jsonl.gz: missing");
  }

  @Test
  void aJournalThatDoesNotFitThePlanIsNoticed() throws IOException {
    Path out = temporary.resolve("changed");
    collect(out, false, new FakeMeasurer(), new Listener(2));
    Path journal = out.resolve("shards/w/spmm/a/journal.jsonl");
    Files.writeString(
        journal, Files.readString(journal).replaceFirst("\"index\":0", "\"index\":3"));
    refused(
        () -> collect(out, true, new FakeMeasurer(), new Listener(Integer.MAX_VALUE)),
        "the matrix or the program has changed");
  }

  private static void refused(Executable action, String part) {
    String message = assertThrows(InputException.class, action).getMessage();
    assertTrue(message.contains(part), message);
    assertEquals(1, message.lines().count(), message);
  }
}
