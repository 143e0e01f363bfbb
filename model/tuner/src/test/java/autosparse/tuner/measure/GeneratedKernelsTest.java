package autosparse.tuner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.space.ScheduleSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The measurer as it is used: with kernels of the code generator, and under sanitizers. */
final class GeneratedKernelsTest {
  /** No other reason than these may keep a legal schedule from its time. */
  private static final Set<Failure> EXPECTED = EnumSet.of(Failure.ILLEGAL, Failure.STORAGE_CAP);

  @TempDir Path folder;

  private static List<Outcome> measure(
      CRunnerMeasurer measurer, SparsityPattern matrix, Problem problem, List<Schedule> schedules) {
    List<Outcome> outcomes = new ArrayList<>();
    measurer.measure(matrix, problem, schedules, (index, schedule, o) -> outcomes.add(o));
    return outcomes;
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void randomSchedulesOnShapesThatNoSplitDivides(Op op) {
    long seed = op.id().length();
    SplittableRandom random = new SplittableRandom(seed);
    try (CRunnerMeasurer measurer = new CRunnerMeasurer(HandWritten.settings(folder))) {
      for (SparsityPattern matrix :
          List.of(HandWritten.matrix(37, 91, 0.1, seed), HandWritten.matrix(130, 7, 0.3, seed))) {
        Problem problem = Problem.of(op, matrix);
        if (op.denseAxis().isPresent()) {
          problem = problem.withDenseSize(11);
        }
        List<Schedule> schedules = new ArrayList<>();
        for (int n = 0; n < 24; n++) {
          schedules.add(ScheduleSpace.random(problem, 2, random));
        }
        List<Outcome> outcomes = measure(measurer, matrix, problem, schedules);
        for (int n = 0; n < schedules.size(); n++) {
          String what = "seed " + seed + ", " + schedules.get(n) + ": " + outcomes.get(n);
          assertTrue(
              outcomes.get(n) instanceof Outcome.Timed
                  || EXPECTED.contains(((Outcome.Failed) outcomes.get(n)).failure()),
              what);
        }
        assertTrue(outcomes.stream().filter(o -> o instanceof Outcome.Timed).count() > 6);
      }
    }
  }

  /** Packed forms that do not fit beside each other are made again, one at a time. */
  @Test
  void packedFormsThatWaitForTheirTurn() throws IOException {
    MeasureSettings settings = HandWritten.settings(folder);
    SparsityPattern matrix = HandWritten.matrix(40, 40, 0.2, 3);
    Problem problem = Problem.of(Op.SPMV, matrix);
    List<Schedule> schedules = new ArrayList<>();
    for (int inner = 1; inner <= 9; inner++) {
      schedules.add(
          Schedule.parse(
              "1 i 2 i0 0 i1 "
                  + inner
                  + " 1 A 3 i0 i1 j A 3 i0 0 i1 0 j 1 0 3 i0 i1 j None None None 0 2 1",
              new SourceLocation("test", inner)));
    }
    TimeAccounts accounts = new TimeAccounts();
    try (WorkFolder work = WorkFolder.create(settings.workFolder());
        Preparation preparation =
            new Preparation(
                settings,
                KernelGenerator.emitter(),
                Optional.of(
                    new KernelCompiler(
                        Toolchain.find("gcc"),
                        settings.compile(),
                        settings.cacheFolder(),
                        work.path())),
                "",
                work,
                accounts)) {
      preparation.use(matrix, RunnerFiles.madeUpValues(matrix, 1));
      preparation.use(problem);
      long each = Files.size(ready(preparation.prepareAlone(schedules.get(0))).packed());
      List<Preparation.Prepared> batch = preparation.prepare(schedules, 5 * each + 1);
      long stored = batch.stream().filter(p -> p instanceof Preparation.Ready).count();
      assertTrue(stored > 1 && stored < 9, batch::toString);
      assertEquals(
          9 - stored, batch.stream().filter(p -> p instanceof Preparation.Postponed).count());
      long compiled = accounts.compiled.sum();
      for (int n = 0; n < schedules.size(); n++) {
        if (batch.get(n) instanceof Preparation.Postponed) {
          assertTrue(ready(preparation.prepareAlone(schedules.get(n))).kernel().cached());
        }
      }
      assertEquals(compiled, accounts.compiled.sum(), "compiled with the others already");
      preparation.discard();
      try (Stream<Path> left = Files.list(work.path())) {
        assertEquals(1, left.count(), "the lock");
      }
      // Schedules that differ in nothing but loops and marks share a file.
      List<Preparation.Prepared> alike =
          preparation.prepare(HandWritten.schedules(Op.SPMV, 9), 9 * each);
      assertEquals(1, alike.stream().map(p -> ready(p).packed()).distinct().count());
    }
  }

  private static Preparation.Ready ready(Preparation.Prepared prepared) {
    return (Preparation.Ready) prepared;
  }

  @Test
  void underSanitizersWhatIsOutOfBoundsIsACrashThatSaysWhere() throws Exception {
    List<String> flags = List.of("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");
    MeasureSettings plain = HandWritten.settings(folder);
    requireSanitizers(flags);
    MeasureSettings settings =
        plain.withMemoryLimit(0).withCompile(plain.compile().withFurtherFlags(flags));
    List<String> kernels =
        List.of(
            HandWritten.right(Op.SPMV),
            HandWritten.rightAnd(Op.SPMV, "", "  out[a->rows] = 0;\n"),
            HandWritten.rightAnd(Op.SPMV, "", "  out[0] += b[a->cols];\n"),
            HandWritten.rightAnd(
                Op.SPMV, "  volatile int32_t most = INT32_MAX;\n", "  most = most + 1;\n"),
            HandWritten.right(Op.SPMV));
    SparsityPattern matrix = HandWritten.matrix(30, 20, 0.2, 4);
    try (CRunnerMeasurer measurer =
        new CRunnerMeasurer(settings, HandWritten.kernels(kernels), Duration.ofSeconds(10))) {
      List<Outcome> outcomes =
          measure(
              measurer,
              matrix,
              Problem.of(Op.SPMV, matrix),
              HandWritten.schedules(Op.SPMV, kernels.size()));
      List<String> expected =
          List.of("Timed", "AddressSanitizer", "AddressSanitizer", "runtime error", "Timed");
      for (int n = 0; n < kernels.size(); n++) {
        String outcome = outcomes.get(n).toString();
        assertTrue(outcome.contains(expected.get(n)), outcome);
        assertTrue(n % 4 == 0 || outcome.contains("failure=CRASH"), outcome);
      }
    }
  }

  private void requireSanitizers(List<String> flags) throws Exception {
    Path source = Files.writeString(folder.resolve("probe.c"), "int main(void) { return 0; }\n");
    List<String> command = new ArrayList<>(List.of("gcc", source.toString(), "-o"));
    command.add(folder.resolve("probe").toString());
    command.addAll(flags);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    boolean there = process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    String reason = "skipped: gcc has no libasan or libubsan";
    if (!there) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(there, reason);
  }
}
