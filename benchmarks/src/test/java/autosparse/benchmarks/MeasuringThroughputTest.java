package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.TimeSpent;
import autosparse.tuner.measure.TimingSettings;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasuringThroughputTest {
  @TempDir private Path folder;

  @Test
  void everyScheduleIsCountedAndTheTimesAddUp() {
    CompilerTests.require();
    SparsityPattern matrix =
        SparsityPattern.of("small", 3, 5, new long[] {0, 2, 2, 5}, new int[] {1, 4, 0, 1, 3});
    MeasuringThroughput.Result result =
        MeasuringThroughput.measure(
            matrix,
            Op.SPMV,
            12,
            MeasureSettings.defaults()
                .withTiming(new TimingSettings(0, 1, 1, 0, 10_000))
                .withFolders(folder.resolve("cache"), folder));
    TimeSpent spent = result.spent();
    assertEquals(12, result.outcomes().values().stream().mapToInt(n -> n).sum());
    assertEquals(12, spent.schedules());
    assertEquals(result.outcomes().get("timed").longValue(), spent.timed());
    assertTrue(spent.otherNanos() >= 0, spent::toString);
    assertTrue(spent.compileNanos() > 0 && spent.compiled() > 0, spent::toString);
  }
}
