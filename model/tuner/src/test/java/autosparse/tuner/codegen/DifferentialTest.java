package autosparse.tuner.codegen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.SampleMatrices;
import autosparse.tuner.SharedMatrices;
import autosparse.tuner.measure.CRunnerMeasurer;
import autosparse.tuner.measure.CompileSettings;
import autosparse.tuner.measure.Failure;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.Outcome;
import autosparse.tuner.measure.TimingSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random schedules against the reference: each is refused by a named rule before it is compiled, or
 * its kernel gives the right result; none crashes. Matrices of awkward shapes, three operators,
 * several threads.
 */
@Tag("any-jdk")
class DifferentialTest {
  private static final String SEED = "autosparse.differential.seed";

  private static final double TOLERANCE = 1e-4;

  /** Extents of the dense axis, in turn: none, one, odd ones, that of the records. */
  private static final long[] DENSE_SIZES = {33, 128, 7, 1, 64};

  @TempDir private Path folder;

  /** What became of the schedules. */
  private static final class Tally {
    private int right;
    private int refused;
    private int overCap;
    private int parallel;
    private int atomic;
    private double worst;
    private final List<String> wrong = new ArrayList<>();

    private void add(SparsityPattern matrix, Problem problem, Schedule schedule, Outcome outcome) {
      if (outcome instanceof Outcome.Timed timed) {
        right++;
        worst = Math.max(worst, timed.relativeError());
        LoopNest nest = LoopNest.of(schedule, problem);
        parallel += schedule.parallelAxis().isPresent() && schedule.threads() > 1 ? 1 : 0;
        atomic += nest.accumulation().update() == Accumulation.Update.ATOMIC_ADD ? 1 : 0;
        return;
      }
      Outcome.Failed failed = (Outcome.Failed) outcome;
      if (failed.failure() == Failure.ILLEGAL && failed.detail().matches("[A-Z_]+: .*")) {
        refused++;
      } else if (failed.failure() == Failure.STORAGE_CAP) {
        overCap++;
      } else {
        wrong.add(
            failed.failure().id()
                + ": "
                + failed.detail()
                + "\n    "
                + problem.op().id()
                + " "
                + matrix
                + ", dense "
                + problem.denseSize()
                + "\n    "
                + schedule);
      }
    }

    private int all() {
      return right + refused + overCap + wrong.size();
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d schedules: %d right (%d on several threads, %d with atomic updates; largest error"
              + " %.1e), %d over the storage cap, %d refused, %d wrong",
          all(),
          right,
          parallel,
          atomic,
          worst,
          overCap,
          refused,
          wrong.size());
    }
  }

  private static void requireCompiler(List<String> flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("gcc"));
    command.addAll(flags);
    command.addAll(List.of("-x", "c", "-o", "/dev/null", "-"));
    String reason = "skipped: no gcc that takes " + flags;
    int code = -1;
    try {
      Process probe =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      probe
          .getOutputStream()
          .write("int main(void) { return 0; }".getBytes(StandardCharsets.UTF_8));
      probe.getOutputStream().close();
      code = probe.waitFor(1, TimeUnit.MINUTES) ? probe.exitValue() : -1;
    } catch (IOException missing) {
      reason += " (" + missing.getMessage() + ")";
    }
    if (code != 0) {
      System.err.println(reason);
    }
    Assumptions.assumeTrue(code == 0, reason);
  }

  private MeasureSettings settings(List<String> flags) {
    CompileSettings compile = CompileSettings.defaults();
    return MeasureSettings.defaults()
        .withTiming(new TimingSettings(0, 1, 1, 0, 60_000))
        .withCompile(
            new CompileSettings(
                "gcc", flags, flags, compile.timeout().multipliedBy(5), 16, compile.processes()))
        // Address sanitizers reserve terabytes of address space.
        .withMemoryLimit(0)
        .withTolerance(TOLERANCE)
        .withFolders(folder.resolve("cache"), MeasureSettings.defaults().workFolder());
  }

  private Tally run(List<SparsityPattern> matrices, int each, List<String> flags) {
    long seed = Long.getLong(SEED, 1);
    RandomGenerator random = new SplittableRandom(seed);
    Tally tally = new Tally();
    try (CRunnerMeasurer measurer = new CRunnerMeasurer(settings(flags))) {
      int turn = 0;
      for (SparsityPattern matrix : matrices) {
        for (Op op : Op.values()) {
          long dense = op.denseAxis().isPresent() ? DENSE_SIZES[turn++ % DENSE_SIZES.length] : 1;
          Problem problem = Problem.of(op, matrix).withDenseSize(dense);
          List<Schedule> schedules = new ArrayList<>();
          for (int n = 0; n < each; n++) {
            schedules.add(RandomSchedules.draw(problem, random));
          }
          measurer.measure(
              matrix,
              problem,
              schedules,
              (index, schedule, outcome) -> tally.add(matrix, problem, schedule, outcome));
        }
      }
    }
    System.err.println("differential test, seed " + seed + ", " + flags + ": " + tally);
    assertEquals(List.of(), tally.wrong, () -> String.join("\n", tally.wrong));
    assertEquals(matrices.size() * Op.values().length * each, tally.all());
    assertTrue(tally.right > tally.all() / 2, tally::toString);
    assertTrue(tally.parallel > 0 && tally.atomic > 0, tally::toString);
    return tally;
  }

  @Test
  void aSampleIsRightUnderTheSanitizers() throws IOException, InterruptedException {
    List<String> flags =
        List.of(
            "-O1",
            "-g",
            "-fopenmp",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            "-Wall",
            "-Wextra",
            "-Werror");
    requireCompiler(flags);
    run(SampleMatrices.all(), 8, flags);
  }

  @Test
  @EnabledIfSystemProperty(
      named = "autosparse.differential",
      matches = "\\d+",
      disabledReason = "takes minutes: mvn -Pdifferential")
  void allAreRight() throws IOException, InterruptedException {
    List<String> flags = CompileSettings.defaults().flags();
    requireCompiler(flags);
    List<SparsityPattern> matrices = new ArrayList<>(SampleMatrices.all());
    for (String name : List.of("karate.mtx", "west0067.mtx", "watt_2.mtx", "bcsstk13.mtx")) {
      matrices.add(SharedMatrices.read(name));
    }
    int wanted = Integer.getInteger("autosparse.differential");
    int tasks = matrices.size() * Op.values().length;
    Tally tally = run(matrices, (wanted + tasks - 1) / tasks, flags);
    assertTrue(tally.all() >= wanted, tally::toString);
  }
}
