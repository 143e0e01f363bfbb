package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.SparsityPattern;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.TimingSettings;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsrByHandTest {
  @TempDir private Path folder;

  /** Both kernels of each pair are checked by the runner against its reference. */
  @Test
  void bothKernelsOfEachPairAreRight() {
    CompilerTests.require();
    SparsityPattern matrix =
        SparsityPattern.of("small", 3, 5, new long[] {0, 2, 2, 5}, new int[] {1, 4, 0, 1, 3});
    MeasureSettings settings =
        MeasureSettings.defaults()
            .withTiming(new TimingSettings(0, 1, 1, 0, 10_000))
            .withThreads(2)
            .withFolders(folder.resolve("cache"), folder);
    List<CsrByHand.Result> results = CsrByHand.compare(matrix, settings, 3);
    assertEquals(
        List.of("spmv 1", "spmv 2", "spmm 1", "spmm 2"),
        results.stream().map(result -> result.op().id() + " " + result.threads()).toList());
    for (CsrByHand.Result result : results) {
      assertEquals(3, result.ratios().length);
      assertTrue(result.ratios()[0] > 0 && result.ratios()[0] <= result.ratios()[2]);
    }
  }
}
