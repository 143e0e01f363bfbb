package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The measurer with kernels written by hand: what is right is timed, what is not is told apart. */
final class CRunnerMeasurerTest {
  private static final Duration GRACE = Duration.ofMillis(500);

  @TempDir Path folder;

  private final SparsityPattern matrix = HandWritten.matrix(37, 29, 0.2, 1);

  private static CRunnerMeasurer measurer(MeasureSettings settings, List<String> kernels) {
    return new CRunnerMeasurer(settings, HandWritten.kernels(kernels), GRACE);
  }

  private static List<Outcome> measure(
      CRunnerMeasurer measurer, SparsityPattern matrix, Op op, int count) {
    List<Outcome> outcomes = new ArrayList<>();
    List<Schedule> schedules = HandWritten.schedules(op, count);
    measurer.measure(
        matrix,
        Problem.of(op, matrix).withDenseSize(op.denseAxis().isPresent() ? 9 : 1),
        schedules,
        (index, schedule, outcome) -> {
          assertEquals(outcomes.size(), index);
          assertEquals(schedules.get(index), schedule);
          outcomes.add(outcome);
        });
    assertEquals(count, outcomes.size());
    return outcomes;
  }

  private static Outcome.Timed timed(Outcome outcome) {
    return assertInstanceOf(Outcome.Timed.class, outcome, outcome::toString);
  }

  private static String failed(Failure failure, Outcome outcome) {
    Outcome.Failed failed = assertInstanceOf(Outcome.Failed.class, outcome, outcome::toString);
    assertEquals(failure, failed.failure(), failed::detail);
    assertEquals(1, failed.detail().lines().count(), failed::detail);
    return failed.detail();
  }

  private static void contains(String part, String text) {
    assertTrue(text.contains(part), () -> "no '" + part + "' in '" + text + "'");
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void aRightKernelIsTimed(Op op) {
    MeasureSettings settings = HandWritten.settings(folder);
    try (CRunnerMeasurer measurer = measurer(settings, List.of(HandWritten.right(op)))) {
      Outcome.Timed timed = timed(measure(measurer, matrix, op, 1).get(0));
      assertEquals(3, timed.milliseconds().size());
      assertTrue(timed.relativeError() < 1e-6, timed::toString);
    }
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void aMatrixWithoutNonzerosAndOneOfOneElement(Op op) {
    MeasureSettings settings = HandWritten.settings(folder);
    SparsityPattern empty = SparsityPattern.of("empty", 3, 4, new long[4], new int[0]);
    SparsityPattern one = SparsityPattern.of("one", 1, 1, new long[] {0, 1}, new int[1]);
    try (CRunnerMeasurer measurer = measurer(settings, List.of(HandWritten.right(op)))) {
      timed(measure(measurer, empty, op, 1).get(0));
      timed(measure(measurer, one, op, 1).get(0));
      timed(measure(measurer, matrix, op, 1).get(0));
    }
  }

  @Test
  void runsUntilThereAreEnoughAndLongEnough() {
    String millisecond =
        """
            struct timespec { long s, ns; } t;
            int clock_gettime(int, void *);
            clock_gettime(1, &t); long start = t.s * 1000000000 + t.ns;
            do { clock_gettime(1, &t); } while (t.s * 1000000000 + t.ns - start < 1000000);
          """;
    List<String> kernels =
        List.of(HandWritten.right(Op.SPMV), HandWritten.rightAnd(Op.SPMV, millisecond, ""));
    MeasureSettings settings = HandWritten.settings(folder);
    List<Integer> runs = new ArrayList<>();
    for (TimingSettings timing :
        List.of(
            new TimingSettings(0, 4, 1000, 0, 2000),
            new TimingSettings(2, 2, 1000, 6, 2000),
            new TimingSettings(0, 100, 1000, 1000, 20),
            new TimingSettings(0, 1, 7, 1000, 2000))) {
      try (CRunnerMeasurer measurer = measurer(settings.withTiming(timing), kernels)) {
        Outcome.Timed slow = timed(measure(measurer, matrix, Op.SPMV, 2).get(1));
        slow.milliseconds().forEach(ms -> assertTrue(ms >= 1, slow::toString));
        runs.add(slow.milliseconds().size());
      }
    }
    assertEquals(4, runs.get(0));
    assertTrue(runs.get(1) >= 2 && runs.get(1) <= 6, runs::toString);
    assertTrue(runs.get(2) >= 1 && runs.get(2) <= 20, runs::toString);
    assertEquals(7, runs.get(3));
  }

  @Test
  void whatFailsIsToldApartAndTheRestGoesOn() throws IOException {
    String right = HandWritten.right(Op.SPMM);
    List<String> kernels =
        List.of(
            right,
            HandWritten.body("  *(volatile int *)(a->rows - a->rows + 8) = 1;\n"),
            HandWritten.body("  for (volatile int forever = 1; forever;) {\n  }\n"),
            HandWritten.rightAnd(Op.SPMM, "", "  out[5] += 1;\n"),
            HandWritten.body(""),
            "",
            HandWritten.body("  void exit(int);\n  exit(7);\n"),
            "this is no C\n",
            HandWritten.body("  void no_such_function(void);\n  no_such_function();\n"),
            HandWritten.body("  void abort(void);\n  abort();\n"),
            right);
    MeasureSettings settings =
        HandWritten.settings(folder).withTiming(new TimingSettings(0, 1, 3, 0, 100));
    long pid;
    try (CRunnerMeasurer measurer = measurer(settings, kernels)) {
      List<Outcome> outcomes = measure(measurer, matrix, Op.SPMM, kernels.size());
      timed(outcomes.get(0));
      contains("signal 11 (SIGSEGV)", failed(Failure.CRASH, outcomes.get(1)));
      contains("more than 100 ms", failed(Failure.TIMEOUT, outcomes.get(2)));
      contains("first run: row 0, column 5", failed(Failure.WRONG_RESULT, outcomes.get(3)));
      contains("nan", failed(Failure.WRONG_RESULT, outcomes.get(4)));
      contains("NO_KERNEL", failed(Failure.ILLEGAL, outcomes.get(5)));
      contains("exit code 7", failed(Failure.CRASH, outcomes.get(6)));
      contains("error:", failed(Failure.COMPILE_ERROR, outcomes.get(7)));
      assertFalse(failed(Failure.COMPILE_ERROR, outcomes.get(7)).contains(folder.toString()));
      contains("no_such_function", failed(Failure.COMPILE_ERROR, outcomes.get(8)));
      contains("SIGABRT", failed(Failure.CRASH, outcomes.get(9)));
      timed(outcomes.get(10));
      TimeSpent spent = measurer.timeSpent();
      assertEquals(kernels.size(), spent.schedules());
      assertEquals(2, spent.timed());
      assertEquals(5, spent.restarts());
      pid = measurer.runnerPid().orElseThrow();
      assertEquals(List.of(pid), HandWritten.members(pid));
    }
    assertEquals(List.of(), HandWritten.members(pid));
    try (Stream<Path> left = Files.list(folder.resolve("work"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void resultsThatAreWrongOnlyAtSecondSightAreFound() {
    List<String> kernels =
        List.of(
            HandWritten.rightAnd(Op.SDDMM, "", "  static int runs;\n  out[0] += runs++ > 1;\n"),
            HandWritten.rightAnd(Op.SDDMM, "", "  out[pos[a->rows]] = 1;\n"),
            HandWritten.rightAnd(Op.SDDMM, "", "  out[-1] = 1;\n"),
            HandWritten.right(Op.SDDMM).replace("sum +=", "sum -="));
    try (CRunnerMeasurer measurer = measurer(HandWritten.settings(folder), kernels)) {
      List<Outcome> outcomes = measure(measurer, matrix, Op.SDDMM, kernels.size());
      contains("last timed run: nonzero 0", failed(Failure.WRONG_RESULT, outcomes.get(0)));
      contains("outside of the result", failed(Failure.WRONG_RESULT, outcomes.get(1)));
      contains("outside of the result", failed(Failure.WRONG_RESULT, outcomes.get(2)));
      contains("expected", failed(Failure.WRONG_RESULT, outcomes.get(3)));
    }
  }

  @Test
  void theToleranceDecides() {
    String slightlyOff = HandWritten.rightAnd(Op.SPMV, "", "  out[0] *= 1.001f;\n");
    MeasureSettings settings = HandWritten.settings(folder);
    try (CRunnerMeasurer measurer = measurer(settings, List.of(slightlyOff))) {
      failed(Failure.WRONG_RESULT, measure(measurer, matrix, Op.SPMV, 1).get(0));
    }
    try (CRunnerMeasurer measurer = measurer(settings.withTolerance(0.01), List.of(slightlyOff))) {
      Outcome.Timed timed = timed(measure(measurer, matrix, Op.SPMV, 1).get(0));
      assertTrue(timed.relativeError() > 1e-5, timed::toString);
    }
  }

  @Test
  void whatAKernelPrintsIsNoAnswer() {
    String prints =
        """
            int printf(const char *, ...);
            int fflush(void *);
            for (int n = 0; n < 20000; n++) printf("%d\\tok\\t0\\t0\\t0\\t9\\t1\\t9\\n", n);
            fflush(0);
            long read(int, void *, unsigned long);
            char eaten[64];
            while (read(0, eaten, 64) > 0) {
            }
          """;
    String answers =
        """
            long write(int, const void *, unsigned long);
            for (int fd = 3; fd < 64; fd++) write(fd, "1\\tok\\t0\\n", 7);
          """;
    List<String> kernels =
        List.of(
            HandWritten.rightAnd(Op.SPMV, prints, ""),
            HandWritten.rightAnd(Op.SPMV, answers, ""),
            HandWritten.right(Op.SPMV));
    try (CRunnerMeasurer measurer = measurer(HandWritten.settings(folder), kernels)) {
      List<Outcome> outcomes = measure(measurer, matrix, Op.SPMV, kernels.size());
      assertEquals(3, timed(outcomes.get(0)).milliseconds().size());
      failed(Failure.BAD_ANSWER, outcomes.get(1));
      timed(outcomes.get(2));
    }
  }

  @Test
  void aKernelThatAsksForTooMuchMemory() {
    String declared = "  void *malloc(unsigned long);\n";
    List<String> kernels =
        List.of(
            HandWritten.body(declared + "  for (;;) *(volatile char *)malloc(1 << 26) = 1;\n"),
            HandWritten.right(Op.SPMV));
    MeasureSettings settings = HandWritten.settings(folder).withMemoryLimit(1L << 30);
    try (CRunnerMeasurer measurer = measurer(settings, kernels)) {
      List<Outcome> outcomes = measure(measurer, matrix, Op.SPMV, kernels.size());
      contains("allocation", failed(Failure.OUT_OF_MEMORY, outcomes.get(0)));
      timed(outcomes.get(1));
    }
  }

  @Test
  void operandsThatDoNotFitTheLimit() {
    MeasureSettings settings = HandWritten.settings(folder);
    SparsityPattern tall =
        SparsityPattern.of("tall", 3_000_000, 2, new long[3_000_001], new int[0]);
    List<String> kernels = List.of(HandWritten.right(Op.SPMV));
    // Known beforehand.
    try (CRunnerMeasurer measurer = measurer(settings.withMemoryLimit(50 << 20), kernels)) {
      contains(
          "the limit is",
          failed(Failure.OUT_OF_MEMORY, measure(measurer, tall, Op.SPMV, 1).get(0)));
      assertTrue(measurer.runnerPid().isEmpty());
    }
    // Only with the program itself.
    try (CRunnerMeasurer measurer = measurer(settings.withMemoryLimit(90_000_000), kernels)) {
      contains("bytes", failed(Failure.OUT_OF_MEMORY, measure(measurer, tall, Op.SPMV, 1).get(0)));
    }
  }

  @Test
  void aKernelThatShieldsItselfFromTheClockIsKilledFromOutsideWithItsChildren() throws IOException {
    Path pid = folder.resolve("pid");
    String hangs =
        HandWritten.body(
            """
            void (*signal(int, void (*)(int)))(int);
            int fork(void), pause(void);
            signal(14, (void (*)(int))1);
            if (fork() == 0) for (;;) pause();
            for (;;) pause();
          """);
    MeasureSettings settings =
        HandWritten.settings(folder).withTiming(new TimingSettings(0, 1, 3, 0, 50));
    long group;
    try (CRunnerMeasurer measurer =
        measurer(settings, List.of(HandWritten.right(Op.SPMV), hangs))) {
      timed(measure(measurer, matrix, Op.SPMV, 1).get(0));
      group = measurer.runnerPid().orElseThrow();
      List<Outcome> outcomes = measure(measurer, matrix, Op.SPMV, 2);
      contains("no answer", failed(Failure.TIMEOUT, outcomes.get(1)));
      assertEquals(List.of(), HandWritten.members(group), pid::toString);
    }
  }

  @Test
  void aBrokenFileInTheCacheIsMadeAgain() throws IOException {
    MeasureSettings settings = HandWritten.settings(folder);
    List<String> kernels = List.of(HandWritten.right(Op.SPMV));
    try (CRunnerMeasurer measurer = measurer(settings, kernels)) {
      timed(measure(measurer, matrix, Op.SPMV, 1).get(0));
      timed(measure(measurer, matrix, Op.SPMM, 1).get(0));
      assertEquals(1, measurer.timeSpent().compiled());
      assertEquals(1, measurer.timeSpent().cached());
    }
    List<Path> files;
    try (Stream<Path> all = Files.walk(settings.cacheFolder())) {
      files = all.filter(Files::isRegularFile).toList();
    }
    assertEquals(2, files.size(), files::toString);
    for (Path file : files) {
      if (Files.size(file) < 20_000) {
        Files.write(file, new byte[0]);
      }
    }
    try (CRunnerMeasurer measurer = measurer(settings, kernels)) {
      timed(measure(measurer, matrix, Op.SPMV, 1).get(0));
    }
  }

  @Test
  void withoutACompilerEverySchedulesSaysSo() {
    MeasureSettings settings = HandWritten.settings(folder);
    List<String> kernels = List.of(HandWritten.right(Op.SPMV), "", HandWritten.right(Op.SPMV));
    try (CRunnerMeasurer measurer =
        measurer(settings.withCompile(settings.compile().withCompiler("no-such-cc")), kernels)) {
      List<Outcome> outcomes = measure(measurer, matrix, Op.SPMV, 3);
      contains("no-such-cc", failed(Failure.NO_COMPILER, outcomes.get(0)));
      failed(Failure.ILLEGAL, outcomes.get(1));
      failed(Failure.NO_COMPILER, outcomes.get(2));
    }
  }

  @Test
  void nothingIsLeftOfAMeasurerThatDidNothing() throws IOException {
    MeasureSettings settings = HandWritten.settings(folder);
    try (CRunnerMeasurer measurer = measurer(settings, List.of())) {
      assertEquals(0, measurer.timeSpent().schedules());
    }
    assertTrue(Files.notExists(settings.workFolder()));
    assertTrue(Files.notExists(settings.cacheFolder()));
  }

  @Test
  void aFolderThatCannotBeWrittenIsNoOutcome() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    MeasureSettings settings = HandWritten.settings(folder);
    List<String> kernels = List.of(HandWritten.right(Op.SPMV));
    for (MeasureSettings broken :
        List.of(
            settings.withFolders(settings.cacheFolder(), file),
            settings.withFolders(file, settings.workFolder()))) {
      try (CRunnerMeasurer measurer = measurer(broken, kernels)) {
        RuntimeException e =
            assertThrows(
                java.io.UncheckedIOException.class, () -> measure(measurer, matrix, Op.SPMV, 1));
        contains(file.toString(), e.getMessage());
      }
    }
    assertEquals("mine", Files.readString(file));
  }
}
