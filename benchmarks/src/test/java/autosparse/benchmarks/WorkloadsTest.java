package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.engine.sparse.Sites;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Param;

/** What benchmarks measure runs, and costs what it says that it costs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WorkloadsTest {
  /** A full 8×8 matrix: few enough sites to count by hand. */
  private static final Sites.Pattern FULL =
      new Sites.Pattern(
          8,
          8,
          new long[] {0, 8, 16, 24, 32, 40, 48, 56, 64},
          java.util.stream.IntStream.range(0, 64).map(i -> i % 8).toArray());

  private final BenchmarkDevice device = BenchmarkDevice.open("cpu", "fp32", 1);

  @AfterAll
  void close() {
    device.close();
  }

  private Cost run(Workload workload) {
    try (workload) {
      workload.run();
      workload.run();
      return workload.cost();
    }
  }

  /**
   * Pairs along one edge of n sites with offsets of 0, ±d: n + 2(n − d), squared for the square.
   */
  private static double pairs(int sites, int... distances) {
    double edge = sites;
    for (int distance : distances) {
      edge += 2.0 * (sites - distance);
    }
    return edge * edge;
  }

  /** From n to n/2 sites: each output but the first has the neighbour before it as well. */
  private static double strided(int sites) {
    double outputs = sites / 2.0;
    double edge = outputs + outputs + (outputs - 1);
    return edge * edge;
  }

  @Test
  void convolutionsCountValidMultiplyAddsAndFeatures() {
    double flops = 2 * pairs(8, 1) * 3 * 5;
    double weights = 4 * 9 * 3 * 5;
    Cost forward = run(new ConvolutionWorkload(device, FULL, 3, 5, Pass.FORWARD));
    assertEquals(flops, forward.flops());
    assertEquals(4 * 64 * (3 + 5) + weights, forward.bytes());
    Cost both = run(new ConvolutionWorkload(device, FULL, 3, 5, Pass.FORWARD_AND_BACKWARD));
    assertEquals(3 * flops, both.flops());
    assertEquals(4 * 64 * (3 * 3 + 2 * 5) + 3 * weights, both.bytes());
    Cost mapped = run(new ConvolutionWorkload(device, FULL, 3, 5, Pass.MAP_AND_FORWARD));
    assertEquals(flops, mapped.flops());
    assertEquals(forward.bytes() + 4 * 64 + 8 * 9, mapped.bytes());
  }

  @Test
  void theTowerCountsValidMultiplyAddsAndFeatures() {
    double first = pairs(8, 1, 2) * 4;
    double expected = first + pairs(8, 1) * 4 + pairs(8, 2) + pairs(8, 3);
    expected += strided(8) * 1 * 4 + strided(4) * 4 * 4 + strided(2) * 4 * 4;
    // One site is left: it sees itself alone.
    expected += 4 + 1 + 1 + 4 + 16 + 16;
    double features = 64 * (4 + 1 + 1 + 1 + 1 + 1) + 64 * 1 + 16 * 4;
    features += 16 * 4 + 4 * 4 + 4 * 4 + 4 + (4 + 1) + (1 + 1) + (1 + 1) + (1 + 4) + 8 + 8;
    Cost forward = run(new TowerWorkload(device, FULL, 4, Pass.FORWARD));
    assertEquals(2 * expected, forward.flops());
    assertEquals(4 * (features + 64 * (1 + 4)), forward.bytes());
    Cost both = run(new TowerWorkload(device, FULL, 4, Pass.FORWARD_AND_BACKWARD));
    assertEquals(2 * (3 * expected - first), both.flops());
    assertEquals(4 * (3 * features + 64 * (2 + 3 * 4)), both.bytes());
  }

  @Test
  void theTowerSaysItsPeak() {
    try (Workload tower = new TowerWorkload(device, FULL, 4, Pass.FORWARD_AND_BACKWARD)) {
      device.resetPeak();
      long before = device.peakBytes();
      tower.run();
      // Features of the first layer alone: 64 sites of 4 channels.
      assertTrue(device.peakBytes() >= before + 4 * 64 * 4, "features were made");
    }
  }

  @Test
  void attentionCountsBothProducts() {
    Cost cost = run(new AttentionWorkload(device, 6, 5, 2, 4));
    assertEquals(2.0 * 2 * 6 * 2 * 5 * 5 * 4, cost.flops());
    assertEquals(4 * 30 * (3 * 8 + 8 + 2) + 8 * 7, cost.bytes());
  }

  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void aTrainingStepLowersTheLoss(ModelKind model) {
    ModelConfig config = RankingNetwork.config(model, 4, ModelConfig.Head.COMPACT);
    try (StepWorkload step = new StepWorkload(device, FULL, config, RankingLoss.LAMBDARANK, 24)) {
      step.run();
      double first = step.loss();
      for (int i = 0; i < 20; i++) {
        step.run();
      }
      double last = step.loss();
      assertTrue(last < first, model + ": " + first + " to " + last);
      assertEquals(24, step.cost().schedules());
    }
  }

  @Test
  void theHeadCountsItsWeightsOncePerToken() {
    ModelConfig published = ModelConfig.published(ModelKind.AUTOSPARSE, Op.SPMM, 4);
    Cost cost = run(new HeadWorkload(device, FULL, published, 16));
    // Twelve tokens: attention 4·256², two residual MLPs of 2·256·1024, decoder.
    double token = 4 * 256 * 256 + 4 * 256 * 1024 + 256 * 128 + 128 * 64 + 64;
    double others = 16 * 12 * (token + 2 * 12 * 256);
    double encoder = cost.flops() / 6 - others;
    double distinct = encoder / (128 * 1024 + 1024 * 256);
    assertEquals(Math.rint(distinct), distinct, 1e-9);
    assertTrue(distinct > 12 && distinct <= 16 * 11 + 1, "distinct tokens " + distinct);
  }

  @Test
  void batchesGiveTheScoresThatSchedulesAndMatricesAloneGive() {
    ModelConfig config = RankingNetwork.config(ModelKind.AUTOSPARSE, 4, ModelConfig.Head.COMPACT);
    double[] together = schedules(config, false);
    assertEquals(9, together.length);
    assertTrue(Arrays.stream(together).distinct().count() > 4, Arrays.toString(together));
    assertArrayEquals(together, schedules(config, true), 1e-4);
    assertArrayEquals(matrices(config, false), matrices(config, true), 1e-4);
  }

  private double[] schedules(ModelConfig config, boolean oneByOne) {
    try (RankingWorkload ranking = RankingWorkload.ofSchedules(device, FULL, config, 9, oneByOne)) {
      assertEquals(9, ranking.cost().schedules());
      return ranking.scores();
    }
  }

  private double[] matrices(ModelConfig config, boolean oneByOne) {
    try (RankingWorkload ranking =
        RankingWorkload.ofMatrices(device, FULL, config, 3, 5, oneByOne)) {
      assertEquals(15, ranking.cost().schedules());
      return ranking.scores();
    }
  }

  /** Each row of the target table on a small matrix; the largest sizes are made small. */
  @Test
  void everyTargetRowRuns() throws NoSuchFieldException {
    Param rows = TargetBenchmark.class.getField("row").getAnnotation(Param.class);
    assertTrue(rows.value().length > 10);
    for (String row : rows.value()) {
      TargetBenchmark benchmark = new TargetBenchmark();
      benchmark.row =
          row.replace("768", "24")
              .replace("4096", "24")
              .replace("C=128", "C=8")
              .replace("B=16384", "B=4");
      benchmark.matrix = "band:900";
      benchmark.matrices = "";
      Cost cost = run(benchmark.prepare(device));
      assertTrue(
          row.startsWith("rank") ? cost.schedules() > 0 : cost.flops() > 0 && cost.bytes() > 0,
          row);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "convolution 32 forward on band:900",
        "tower C=8 map+forward on band:900",
        "tower C=8 forward",
        "nothing on band:900"
      })
  void unknownRowsAreRefused(String row) {
    TargetBenchmark benchmark = new TargetBenchmark();
    benchmark.row = row;
    benchmark.matrix = "";
    benchmark.matrices = "";
    assertTrue(
        assertThrows(InputException.class, () -> benchmark.prepare(device))
            .getMessage()
            .contains(row));
  }

  @Test
  void unknownDevicesAndPrecisionsAreRefusedInOneLine() {
    for (List<String> wrong :
        List.of(List.of("gpu", "auto"), List.of("cpu", "bf16"), List.of("cpu", "fp16"))) {
      RuntimeException refused =
          assertThrows(
              RuntimeException.class, () -> BenchmarkDevice.select(wrong.get(0), wrong.get(1), 0));
      assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    }
  }
}
