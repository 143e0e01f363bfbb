package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.engine.GpuTests;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Param;

/** Benchmarks on a GPU: every row of the target table, small; ceilings; the clock. */
@Tag("gpu")
final class CudaWorkloadsTest {
  @BeforeAll
  static void needsAGpu() {
    GpuTests.require();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp32", "auto"})
  void everyTargetRowRunsAndTakesTime(String precision) throws NoSuchFieldException {
    Param rows = TargetBenchmark.class.getField("row").getAnnotation(Param.class);
    try (BenchmarkDevice device = BenchmarkDevice.open("cuda", precision, 0)) {
      assertTrue(device.ceilings().flops() > 1e12, device.ceilings().toString());
      assertTrue(device.ceilings().copy() > 5e10, device.ceilings().toString());
      for (String row : rows.value()) {
        TargetBenchmark benchmark = new TargetBenchmark();
        benchmark.row = row;
        benchmark.matrix = "band:9000";
        benchmark.matrices = "";
        Measured measured = new Measured();
        try (Workload workload = benchmark.prepare(device)) {
          // The third call is the first that replays what the second has captured.
          for (int call = 0; call < 4; call++) {
            measured.time(device, workload);
          }
        }
        assertTrue(measured.timeMs() > 0 && measured.hostMs() > 0, row);
      }
    }
  }

  @Test
  void scoresAreTheProcessors() {
    ModelConfig config = RankingNetwork.config(ModelKind.AUTOSPARSE, 8, ModelConfig.Head.COMPACT);
    double[][] scores = new double[2][];
    String[] devices = {"cpu", "cuda"};
    for (int d = 0; d < devices.length; d++) {
      try (BenchmarkDevice device = BenchmarkDevice.open(devices[d], "fp32", 0);
          RankingWorkload ranking =
              RankingWorkload.ofMatrices(device, Patterns.of("band:900"), config, 3, 20, false)) {
        scores[d] = ranking.scores();
      }
    }
    for (int s = 0; s < scores[0].length; s++) {
      assertEquals(scores[0][s], scores[1][s], 1e-4 * (1 + Math.abs(scores[0][s])));
    }
  }
}
