package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModels;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.RangeAllocator;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Passes without gradients take what was planned, fit what they are given, score the same. */
class PlannedPassesTest {
  private static final long PLENTY = 1L << 28;

  @TempDir static Path folder;
  private static TrainingData data;
  private static SparsityPattern pattern;

  @BeforeAll
  static void write() throws IOException {
    TrainingData both = TinyTraining.data(folder);
    data =
        new TrainingData(
            both.tasks().stream().filter(task -> task.task().op() == Op.SPMM).toList(),
            both.patterns(),
            both.split());
    pattern = SyntheticData.pattern(data.patterns().get(0).name(), 12_000, 900, 3, 1);
  }

  /** A model on a device, and the plans of its passes over the pattern. */
  private static final class Bench implements AutoCloseable {
    final Device device;
    final CostModel model;
    final PyramidCache pyramids;
    final ForwardPlanner planner;
    final EncodedTask task;
    final int[] all;

    Bench(ModelKind kind, long capacity) {
      ModelConfig config = TinyTraining.model(kind, List.of(Op.SPMM), 8);
      ModelStatistics statistics = data.statistics();
      Path file = folder.resolve(kind + ".safetensors");
      try (Device writing =
              HostDevice.cpu(HostDevice.Options.defaults().withCapacity(PLENTY).withThreads(1));
          CostModel written = CostModels.create(config, statistics, writing.root(), 7)) {
        ModelFile.writeWeights(file, written, statistics);
      }
      device = HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(2));
      planner = ForwardPlanner.of(file, PlanningDevice.like(device, StepPlanner.UNLIMITED));
      model = ModelFile.read(file, device.root()).model();
      pyramids = new PyramidCache(device.root(), List.of(pattern), capacity);
      TaskData of = data.tasks().get(0);
      task = planner.model().encode(pattern, of.problem(), of.task().schedules());
      all = IntStream.range(0, task.size()).toArray();
    }

    RowSource sites() {
      return pyramids.sources(List.of(0)).get(0);
    }

    PlannedPasses plans(long range) {
      return new PlannedPasses(planner, MemoryBudget.ofTensors(range), planner.baseBytes());
    }

    ForwardPasses passes(PlannedPasses plans) {
      return ForwardPasses.planned(model, device.root(), pyramids, plans);
    }

    double[] scores(PlannedPasses plans) {
      ForwardPasses passes = passes(plans);
      return passes.scores(passes.features(0), task, all);
    }

    @Override
    public void close() {
      pyramids.close();
      model.close();
      planner.close();
      device.close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"FEATURES_MLP", "WORK_MLP"},
      mode = EnumSource.Mode.EXCLUDE)
  void towersTakeWhatWasPlanned(ModelKind kind) {
    double[] expected;
    List<MemoryPlan> ways = new ArrayList<>();
    try (Bench bench = new Bench(kind, PLENTY)) {
      ForwardPasses unplanned =
          ForwardPasses.unplanned(bench.model, bench.device.root(), bench.pyramids);
      expected = unplanned.scores(unplanned.features(0), bench.task, bench.all);
      StrategySearch search = bench.planner.search(bench.sites());
      long least = search.smallest().capacityBytes();
      long most = search.plan(TowerStrategy.KEEP_ALL).capacityBytes();
      for (int part = 0; part <= 4; part++) {
        ways.add(search.fastest(least + (most - least) / 4 * part).orElseThrow());
      }
    }
    // WACO's strips hold 8192 rows and as many on each side: no gain on a matrix of this size.
    if (kind == ModelKind.AUTOSPARSE || kind == ModelKind.AUTOSPARSE_LAST) {
      assertTrue(ways.get(0).strategy() instanceof Strips, ways.toString());
    }
    for (MemoryPlan plan : ways) {
      TowerStrategy way = plan.strategy();
      try (Bench bench = new Bench(kind, plan.capacityBytes())) {
        assertEquals(plan.baseBytes(), bench.device.allocator().liveBytes());
        PlannedPasses plans = bench.plans(plan.capacityBytes());
        plans.planTower(0, pattern);
        assertEquals(plan.capacityBytes(), plans.tower(0).capacityBytes(), way.toString());
        bench.passes(plans).features(0);
        assertEquals(plan.peakBytes(), bench.device.ledger().peakBytes(), way.toString());
        assertEquals(plan.capacityBytes(), bench.device.allocator().peakExtent());
        double[] scores = bench.scores(plans);
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], scores[i], 1e-4 * Math.max(1, Math.abs(expected[i])));
        }
      }
    }
  }

  /** Batches are halved until they fit; what each takes is what was planned. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO", "FEATURES_MLP"})
  void headsFitByBatches(ModelKind kind) {
    double[] expected;
    long one;
    long most;
    try (Bench bench = new Bench(kind, PLENTY)) {
      PlannedPasses plenty = bench.plans(PLENTY);
      plenty.planTower(0, pattern);
      expected = bench.scores(plenty);
      ForwardPasses.Features features = bench.passes(plenty).features(0);
      one = bench.planner.scoresBytes(features, bench.task, new int[] {0});
      most = bench.planner.scoresBytes(features, bench.task, bench.all);
      long before = bench.device.allocator().liveBytes();
      bench.pyramids.clear();
      bench.device.ledger().resetPeak();
      bench.device.allocator().resetPeak();
      ForwardPasses.scores(bench.model, bench.device.root(), features, bench.task, bench.all);
      long base = bench.device.allocator().liveBytes();
      assertEquals(most, bench.device.allocator().peakExtent() - base, "before " + before);
    }
    assertTrue(one < most);
    long range;
    try (Bench bench = new Bench(kind, PLENTY)) {
      range = bench.planner.baseBytes() + (one + most) / 2;
    }
    try (Bench bench = new Bench(kind, range)) {
      PlannedPasses plans = bench.plans(range);
      ForwardPasses.Features features;
      try (Bench wide = new Bench(kind, PLENTY)) {
        PlannedPasses plenty = wide.plans(PLENTY);
        plenty.planTower(0, pattern);
        features = wide.passes(plenty).features(0);
      }
      PlannedPasses.Batch batch = plans.batch(features, bench.task, bench.all, 0);
      assertTrue(batch.schedules() < bench.all.length, batch.toString());
      double[] scores = bench.passes(plans).scores(features, bench.task, bench.all);
      assertArrayEquals(expected, scores, 1e-4);
      assertTrue(bench.device.ledger().peakBytes() <= range);
    }
  }

  /** A model that only scores has weights on the device between passes, and nothing else. */
  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void modelsThatScoreHaveNoGradients(ModelKind kind) {
    try (Bench bench = new Bench(kind, PLENTY)) {
      MemoryLedger ledger = bench.device.ledger();
      long weights =
          bench.model.parameters().values().stream()
              .mapToLong(weight -> RangeAllocator.padded(weight.bytes()))
              .sum();
      assertEquals(weights, ledger.liveBytes(MemoryTag.WEIGHTS));
      assertEquals(weights, ledger.liveBytes());
      assertEquals(weights, bench.planner.baseBytes());
      PlannedPasses plans = bench.plans(PLENTY);
      plans.planTower(0, pattern);
      bench.scores(plans);
      assertEquals(0, ledger.peakBytes(MemoryTag.GRADIENTS));
    }
  }

  /** The tower and every batch: what they take together is known before the first of them. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO", "FEATURES_MLP", "WORK_MLP"})
  void rankingTakesWhatWasPlanned(ModelKind kind) {
    long plenty;
    long least = 0;
    try (Bench bench = new Bench(kind, PLENTY)) {
      plenty = planned(bench, PLENTY).capacityBytes();
      for (int one : bench.all) {
        int[] alone = {one};
        long bytes = bench.planner.scoresBytes(bench.planner.anyFeatures(), bench.task, alone);
        least = Math.max(least, bench.planner.baseBytes() + bytes);
      }
      if (bench.model.tower().isPresent()) {
        least = Math.max(least, bench.planner.search(bench.sites()).smallest().capacityBytes());
      }
    }
    assertTrue(least < plenty, least + " of " + plenty);
    assertTakes(plenty, kind);
    assertTakes(least, kind);
  }

  private static PlannedPasses planned(Bench bench, long range) {
    PlannedPasses plans = bench.plans(range);
    plans.planTower(0, pattern);
    plans.planScores("m", bench.task, bench.all);
    return plans;
  }

  /** In a range of so many bytes, in which patterns that are kept give way. */
  private static void assertTakes(long bytes, ModelKind kind) {
    try (Bench bench = new Bench(kind, bytes)) {
      PlannedPasses plans = planned(bench, bytes);
      assertEquals(bytes, plans.capacityBytes());
      bench.scores(plans);
      assertEquals(bytes, bench.device.allocator().peakExtent());
    }
  }

  /** A schedule with splits has more tokens than one without, which may be the first. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "FEATURES_MLP"})
  void theLargestScheduleCounts(ModelKind kind) {
    SourceLocation source = new SourceLocation("test", 0);
    Schedule plain = Schedule.parse("0 1 A 2 i k A 2 i 0 k 1 0 0 i None None 0 4 1", source);
    List<Schedule> schedules = new ArrayList<>(List.of(plain));
    schedules.addAll(data.tasks().get(0).task().schedules());
    try (Bench bench = new Bench(kind, PLENTY)) {
      EncodedTask task =
          bench.planner.model().encode(pattern, data.tasks().get(0).problem(), schedules);
      int[] all = IntStream.range(0, task.size()).toArray();
      ForwardPasses.Features features = bench.planner.anyFeatures();
      long first = bench.planner.scoresBytes(features, task, new int[] {0});
      long largest =
          IntStream.of(all)
              .mapToLong(s -> bench.planner.scoresBytes(features, task, new int[] {s}))
              .max()
              .orElseThrow();
      long base = bench.planner.baseBytes();
      if (kind == ModelKind.AUTOSPARSE) {
        assertTrue(first < largest, first + " and " + largest);
        String message =
            assertThrows(
                    InputException.class,
                    () -> bench.plans(base + first).planScores("m", task, all))
                .getMessage();
        assertTrue(message.contains("raise --memory-budget to " + (base + largest) + " or more"));
      }
      PlannedPasses plans = bench.plans(base + largest);
      plans.planScores("m", task, all);
      assertEquals(base + largest, plans.capacityBytes());
    }
  }

  /** Own patterns and others', whose features of schedules may be told apart in more rows. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WORK_MLP"})
  void judgingTakesWhatWasPlanned(ModelKind kind) throws IOException {
    TrainingData both = TinyTraining.data(folder.resolve(kind.name()));
    Path file = folder.resolve(kind + "-judged.safetensors");
    long bytes;
    try (Device device = device(PLENTY);
        CostModel written =
            CostModels.create(TinyTraining.model(kind), both.statistics(), device.root(), 7)) {
      ModelFile.writeWeights(file, written, both.statistics());
      try (ForwardPlanner planner = planner(file, device)) {
        bytes = planned(planner, both, PLENTY).capacityBytes();
      }
    }
    try (Device device = device(bytes);
        ForwardPlanner planner = planner(file, device);
        CostModel model = ModelFile.read(file, device.root()).model();
        PyramidCache pyramids = new PyramidCache(device.root(), both.patterns(), bytes)) {
      PlannedPasses plans = planned(planner, both, bytes);
      assertEquals(bytes, plans.capacityBytes());
      ForwardPasses passes = ForwardPasses.planned(model, device.root(), pyramids, plans);
      List<EncodedTask> encoded = Trainer.encode(model, both);
      new Evaluator(device, model, both, encoded, passes, RankingLoss.LAMBDARANK, 16)
          .evaluate(true);
      assertEquals(bytes, device.allocator().peakExtent());
    }
  }

  private static Device device(long capacity) {
    return HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(1));
  }

  private static ForwardPlanner planner(Path file, Device device) {
    return ForwardPlanner.of(file, PlanningDevice.like(device, StepPlanner.UNLIMITED));
  }

  private static PlannedPasses planned(ForwardPlanner planner, TrainingData of, long range) {
    PlannedPasses plans =
        new PlannedPasses(planner, MemoryBudget.ofTensors(range), planner.baseBytes());
    List<EncodedTask> encoded = Trainer.encode(planner.model(), of);
    Evaluator.plan(plans, of, encoded, RankingLoss.LAMBDARANK, 16, true);
    return plans;
  }

  @Test
  void whatFitsNowhereIsRefusedWithTheBudgetThatWouldDo() {
    try (Bench bench = new Bench(ModelKind.AUTOSPARSE, PLENTY)) {
      long tower = bench.planner.search(bench.sites()).smallest().capacityBytes();
      String message =
          assertThrows(InputException.class, () -> bench.plans(tower - 256).planTower(0, pattern))
              .getMessage();
      assertTrue(message.contains("raise --memory-budget to " + tower + " or more"), message);
      assertTrue(message.contains(pattern.name()) && message.contains("strips"), message);
      bench.plans(tower).planTower(0, pattern);
      long base = bench.planner.baseBytes();
      String head =
          assertThrows(
                  InputException.class,
                  () -> bench.plans(base + 256).planScores("m", bench.task, bench.all))
              .getMessage();
      assertTrue(head.contains("the score of a schedule of m"), head);
      PlannedPasses unchecked = bench.plans(base + 256);
      String later =
          assertThrows(
                  OutOfBudgetException.class,
                  () -> unchecked.batch(bench.planner.anyFeatures(), bench.task, bench.all, 0))
              .getMessage();
      assertTrue(later.startsWith("in the middle of the run: the score of a schedule"), later);
      String loss =
          assertThrows(
                  InputException.class,
                  () -> bench.plans(base).planLoss(RankingLoss.LAMBDARANK, 100))
              .getMessage();
      assertTrue(loss.contains("a loss of 100 schedules"), loss);
    }
  }
}
