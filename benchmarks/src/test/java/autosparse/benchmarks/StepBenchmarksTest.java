package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The benchmarks of whole steps run, and count what they say they count. */
final class StepBenchmarksTest {
  @TempDir private Path folder;

  /** A full 8×8 matrix: few enough sites to count by hand. */
  private String matrix() throws IOException {
    StringBuilder text =
        new StringBuilder("%%MatrixMarket matrix coordinate pattern general\n8 8 64\n");
    for (int row = 1; row <= 8; row++) {
      for (int column = 1; column <= 8; column++) {
        text.append(row).append(' ').append(column).append('\n');
      }
    }
    Path file = folder.resolve("full.mtx");
    Files.writeString(file, text, StandardCharsets.UTF_8);
    return file.toString();
  }

  @Test
  void theTowerCountsValidMultiplyAdds() throws IOException {
    TowerBenchmark benchmark = new TowerBenchmark();
    benchmark.matrix = matrix();
    benchmark.channels = 4;
    benchmark.threads = 1;
    benchmark.prepare();
    Arithmetic forward = new Arithmetic();
    benchmark.forward(forward);
    Arithmetic both = new Arithmetic();
    benchmark.forwardAndBackward(both);
    benchmark.release();
    // Pairs along one edge of n sites with offsets of 0, ±d: n + 2(n − d), squared for the square.
    double first = pairs(8, 1, 2) * 4;
    double expected = first + pairs(8, 1) * 4 + pairs(8, 2) + pairs(8, 3);
    // Strided from n to n/2: each output but the first has the neighbour before it as well.
    expected += strided(8) * 1 * 4 + strided(4) * 4 * 4 + strided(2) * 4 * 4;
    // One site is left: it sees itself alone.
    expected += 4 + 1 + 1 + 4 + 16 + 16;
    assertEquals(2 * expected, forward.gflop * 1e9, 1e-3);
    assertEquals(2 * (3 * expected - first), both.gflop * 1e9, 1e-3);
    assertTrue(both.shareOfSgemm > 0);
  }

  private static double pairs(int sites, int... distances) {
    double edge = sites;
    for (int distance : distances) {
      edge += 2.0 * (sites - distance);
    }
    return edge * edge;
  }

  private static double strided(int sites) {
    double outputs = sites / 2.0;
    double edge = outputs + outputs + (outputs - 1);
    return edge * edge;
  }

  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void aTrainingStepLowersTheLoss(ModelKind model) throws IOException {
    TrainingStepBenchmark benchmark = new TrainingStepBenchmark();
    benchmark.matrix = matrix();
    benchmark.model = model;
    benchmark.channels = 4;
    benchmark.schedules = 24;
    benchmark.threads = 1;
    benchmark.prepare();
    double first = benchmark.step();
    double last = first;
    for (int step = 0; step < 20; step++) {
      last = benchmark.step();
    }
    benchmark.release();
    assertTrue(last < first, model + ": " + first + " to " + last);
  }

  @Test
  void theBandIsTheSameEachTime() {
    var band = Patterns.of("");
    assertEquals(20_000, band.rows());
    assertEquals(band.columnIndices().length, band.rowPointers()[20_000]);
    assertEquals(
        java.util.Arrays.hashCode(band.columnIndices()),
        java.util.Arrays.hashCode(Patterns.of("").columnIndices()));
  }
}
