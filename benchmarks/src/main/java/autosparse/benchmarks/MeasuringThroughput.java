package autosparse.benchmarks;

import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.measure.CRunnerMeasurer;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.Outcome;
import autosparse.tuner.measure.TimeSpent;
import autosparse.tuner.space.ScheduleSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * How many schedules a minute are measured, and where the time goes: random legal schedules with
 * the settings of a collection and nothing in the compile cache. No JMH: what is timed is a child
 * process that must have the machine to itself.
 *
 * <pre>java -cp benchmarks/target/benchmarks.jar autosparse.benchmarks.MeasuringThroughput \
 *   OPERATOR SCHEDULES MATRIX...</pre>
 */
public final class MeasuringThroughput {
  private static final long SEED = 1;

  /**
   * One measurement.
   *
   * @param outcomes how many schedules were timed, and how many failed for which reason
   */
  record Result(Map<String, Integer> outcomes, TimeSpent spent) {}

  private MeasuringThroughput() {}

  /** Measures on matrix files. */
  public static void main(String[] args) throws IOException {
    if (args.length < 3 || !args[1].matches("[1-9]\\d{0,5}")) {
      throw new InputException("usage: MeasuringThroughput OPERATOR SCHEDULES MATRIX...");
    }
    Op op = Op.parse(args[0]);
    for (String file : List.of(args).subList(2, args.length)) {
      SparsityPattern matrix = MatrixReader.read(Path.of(file));
      Path cache = Files.createTempDirectory("autosparse-cache-");
      try {
        MeasureSettings settings = MeasureSettings.defaults();
        Result result =
            measure(
                matrix,
                op,
                Integer.parseInt(args[1]),
                settings.withFolders(cache, settings.workFolder()));
        System.out.println(matrix + ", " + op.id() + ": " + result.outcomes());
        System.out.println("  " + result.spent());
      } finally {
        delete(cache);
      }
    }
  }

  /** Measures random schedules on one matrix. */
  static Result measure(SparsityPattern matrix, Op op, int count, MeasureSettings settings) {
    Problem problem = Problem.of(op, matrix);
    SplittableRandom random = new SplittableRandom(SEED);
    List<Schedule> schedules = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      schedules.add(ScheduleSpace.random(problem, settings.threads(), random));
    }
    Map<String, Integer> outcomes = new TreeMap<>();
    try (CRunnerMeasurer measurer = new CRunnerMeasurer(settings)) {
      measurer.measure(
          matrix,
          problem,
          schedules,
          (index, schedule, outcome) ->
              outcomes.merge(
                  outcome instanceof Outcome.Failed failed ? failed.failure().id() : "timed",
                  1,
                  Integer::sum));
      return new Result(outcomes, measurer.timeSpent());
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
