package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelKind;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.memory.TowerStrategy.Checkpoints;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.OutOfDeviceMemoryException;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps that are planned take what was planned, fit what they are given, and fail whole. */
class PlannedStepsTest {
  @TempDir static Path folder;
  private static TrainingData data;

  @BeforeAll
  static void write() throws IOException {
    TrainingData small = TinyTraining.data(folder);
    // Patterns of enough sites that the tower, not the head, is what fills the memory.
    List<SparsityPattern> patterns = new ArrayList<>();
    for (int m = 0; m < small.patterns().size(); m++) {
      patterns.add(
          SyntheticData.pattern(small.patterns().get(m).name(), 30_000 + 2000 * m, 900, 3, m));
    }
    data = new TrainingData(spmm(small), patterns, small.split());
  }

  private static final List<Op> SPMM = List.of(Op.SPMM);

  private static List<TaskData> spmm(TrainingData all) {
    return all.tasks().stream().filter(task -> task.task().op() == Op.SPMM).toList();
  }

  private static Device cpu(long capacity) {
    return HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(2));
  }

  private static TinyTraining training(ModelKind kind, long capacity) {
    return new TinyTraining(
        data, TinyTraining.model(kind, SPMM, 8), TinyTraining.config(4, 1), cpu(capacity));
  }

  private static StepPlanner planner(TinyTraining training, TrainingData planned) {
    return new StepPlanner(
        PlanningDevice.like(training.device, StepPlanner.UNLIMITED),
        training.model.config(),
        planned.statistics(),
        planned,
        TinyTraining.config(4, 1));
  }

  private static StepPlan.Step step(TrainingData of) {
    return new StepPlan(of, TinyTraining.config(4, 1)).epoch(0).get(0);
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"FEATURES_MLP", "WORK_MLP"},
      mode = EnumSource.Mode.EXCLUDE)
  void everyStrategyTakesWhatWasPlanned(ModelKind kind) {
    List<MemoryPlan> plans = new ArrayList<>();
    try (TinyTraining training = training(kind, 1L << 26);
        StepPlanner planner = planner(training, data)) {
      StrategySearch search = planner.search(step(data));
      MemoryPlan keepAll = search.plan(TowerStrategy.KEEP_ALL);
      MemoryPlan smallest = search.smallest();
      Set<TowerStrategy> strategies = new LinkedHashSet<>();
      for (int part = 8; part >= 0; part--) {
        long capacity =
            smallest.capacityBytes()
                + (keepAll.capacityBytes() - smallest.capacityBytes()) / 8 * part;
        MemoryPlan plan = search.fastest(capacity).orElseThrow();
        assertTrue(plan.capacityBytes() <= capacity, plan + " in " + capacity);
        if (strategies.add(plan.strategy())) {
          plans.add(plan);
        }
      }
      assertEquals(TowerStrategy.KEEP_ALL, plans.get(0).strategy());
      assertTrue(strategies.size() > 2, "" + strategies);
      // WACO's strips hold 8192 rows and as many on each side: no gain on matrices of this size.
      if (kind == ModelKind.AUTOSPARSE || kind == ModelKind.AUTOSPARSE_LAST) {
        assertTrue(strategies.stream().anyMatch(Strips.class::isInstance), "" + strategies);
      }
      if (kind == ModelKind.AUTOSPARSE) {
        assertTrue(strategies.stream().anyMatch(Checkpoints.class::isInstance), "" + strategies);
      }
    }
    double loss = Double.NaN;
    for (MemoryPlan plan : plans) {
      try (TinyTraining training = training(kind, plan.capacityBytes())) {
        StepResult result = training.trainer.run(step(data), plan.strategy());
        training.pyramids.clear();
        assertEquals(plan.peakBytes(), training.device.ledger().peakBytes(), plan.toString());
        assertEquals(plan.capacityBytes(), training.device.allocator().peakExtent());
        assertEquals(plan.atPeak(), training.device.ledger().atPeak());
        assertEquals(plan.baseBytes(), training.device.allocator().liveBytes());
        loss = Double.isNaN(loss) ? result.loss() : loss;
        assertEquals(loss, result.loss(), 1e-5 * Math.abs(loss), plan.toString());
      }
    }
  }

  @Test
  void aRangeThatNothingFitsIsRefusedBeforeTheFirstStep() {
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1L << 26);
        StepPlanner planner = planner(training, data)) {
      long smallest = planner.search(step(data)).smallest().capacityBytes();
      PlannedSteps steps =
          new PlannedSteps(planner, data.patterns(), MemoryBudget.ofTensors(smallest - 1));
      String message =
          assertThrows(InputException.class, () -> steps.planAll(List.of(step(data)))).getMessage();
      for (String part :
          List.of("--memory-budget", "" + smallest, "" + (smallest - 1), "--channels", "--batch")) {
        assertTrue(message.contains(part), message);
      }
      try (TinyTraining enough = training(ModelKind.AUTOSPARSE, smallest)) {
        PlannedSteps fitting =
            new PlannedSteps(planner, data.patterns(), MemoryBudget.ofTensors(smallest));
        fitting.planAll(List.of(step(data)));
        enough.trainer.plan(fitting.among(enough.pyramids));
        assertTrue(enough.trainer.next().loss() > 0);
      }
    }
  }

  /**
   * Only steps beyond those that are planned at the start can end so: a run failed, not its input.
   */
  @Test
  void aStepThatNobodyPlannedAndThatDoesNotFitIsAFailureOfTheRun() {
    try (TinyTraining training = training(ModelKind.AUTOSPARSE, 1L << 26);
        StepPlanner planner = planner(training, data)) {
      long smallest = planner.search(step(data)).smallest().capacityBytes();
      PlannedSteps steps =
          new PlannedSteps(planner, data.patterns(), MemoryBudget.ofTensors(smallest - 1));
      steps.planAll(List.of());
      training.trainer.plan(steps.among(training.pyramids));
      String message =
          assertThrows(OutOfBudgetException.class, training.trainer::next).getMessage();
      assertTrue(message.startsWith("in the middle of the run: a step on ["), message);
      assertTrue(message.contains("raise --memory-budget to " + smallest), message);
      assertEquals(0, training.trainer.step());
    }
  }

  /** Many small matrices of random sizes, in a range that few of their pyramids fit together. */
  @Test
  void thousandsOfStepsOfRandomSizeDoNotGrow() {
    thousandsOfSteps(PlannedStepsTest::cpu, 6 << 20);
  }

  @Test
  @Tag("gpu")
  void thousandsOfStepsOnAGpuDoNotGrow() {
    GpuTests.require();
    thousandsOfSteps(PlannedStepsTest::cuda, 24 << 20);
  }

  private static Device cuda(long capacity) {
    return CudaDevice.open(CudaDevice.Options.of(0).withCapacity(capacity));
  }

  /** Less than a kilobyte for each of the steps that are watched. */
  private static final long HEAP_GROWTH = 1800 << 10;

  private static long liveHeapBytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static void thousandsOfSteps(LongFunction<Device> device, long capacity) {
    SplittableRandom random = new SplittableRandom(11);
    List<SparsityPattern> patterns = new ArrayList<>();
    for (int m = 0; m < data.patterns().size(); m++) {
      patterns.add(
          SyntheticData.pattern(data.patterns().get(m).name(), 1 + random.nextInt(400), 300, 2, m));
    }
    TrainingData small = new TrainingData(data.tasks(), patterns, data.split());
    TrainingConfig config = TinyTraining.config(400, 1);
    try (TinyTraining training =
            new TinyTraining(
                small,
                TinyTraining.model(ModelKind.AUTOSPARSE, SPMM, 8),
                config,
                device.apply(capacity),
                false);
        StepPlanner planner = planner(training, small)) {
      PlannedSteps steps = new PlannedSteps(planner, patterns, MemoryBudget.ofTensors(capacity));
      training.trainer.plan(steps.among(training.pyramids));
      steps.planAll(new StepPlan(small, config).epoch(0));
      long most = 0;
      for (int group = 0; group < patterns.size(); group++) {
        most = Math.max(most, steps.planOf(List.of(group)).orElseThrow().capacityBytes());
      }
      for (int n = 0; n < 200; n++) {
        training.trainer.next();
      }
      long outside = training.device.hostLedger().liveBytes();
      long heap = liveHeapBytes();
      for (int n = 200; n < 2000; n++) {
        training.trainer.next();
      }
      assertEquals(outside, training.device.hostLedger().liveBytes(), "host, outside the heap");
      long grown = liveHeapBytes() - heap;
      assertTrue(grown < HEAP_GROWTH, "the heap by " + grown + " bytes");
      training.pyramids.clear();
      assertEquals(
          steps.planOf(List.of(0)).orElseThrow().baseBytes(),
          training.device.allocator().liveBytes());
      assertTrue(training.device.ledger().peakBytes() <= capacity);
      assertTrue(most <= capacity, "" + most);
    }
  }

  /** The n-th allocation of a step fails, for every n: nothing stays, and the next step works. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO"})
  void anAllocationThatFailsLeavesNothingBehind(ModelKind kind) {
    failAtEveryAllocation(kind, PlannedStepsTest::cpu);
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO"})
  @Tag("gpu")
  void anAllocationThatFailsOnAGpuLeavesNothingBehind(ModelKind kind) {
    GpuTests.require();
    failAtEveryAllocation(kind, PlannedStepsTest::cuda);
  }

  private static void failAtEveryAllocation(ModelKind kind, LongFunction<Device> device) {
    List<SparsityPattern> patterns = new ArrayList<>();
    for (int m = 0; m < data.patterns().size(); m++) {
      patterns.add(SyntheticData.pattern(data.patterns().get(m).name(), 70 + 3 * m, 60, 3, m));
    }
    TrainingData small = new TrainingData(data.tasks(), patterns, data.split());
    StepPlan.Step step = step(small);
    List<ChainStrategy> ways =
        List.of(
            new ChainStrategy("keep everything", TowerStrategy.KEEP_ALL),
            new ChainStrategy("strips", new Strips(100)));
    for (ChainStrategy way : ways) {
      double expected;
      try (TinyTraining whole =
          new TinyTraining(
              small,
              TinyTraining.model(kind, SPMM, 8),
              TinyTraining.config(4, 1),
              device.apply(1 << 26),
              false)) {
        expected = whole.trainer.run(step, way.strategy()).loss();
      }
      try (TinyTraining training =
          new TinyTraining(
              small,
              TinyTraining.model(kind, SPMM, 8),
              TinyTraining.config(4, 1),
              device.apply(1 << 26),
              false)) {
        long base = training.device.allocator().liveBytes();
        int failures = 0;
        for (int n = 1; ; n++) {
          training.device.allocator().failAt(n);
          try {
            double loss = training.trainer.run(step, way.strategy()).loss();
            training.device.allocator().failAt(0);
            assertEquals(expected, loss, way.name());
            break;
          } catch (RuntimeException e) {
            assertTrue(causes(e).contains("out of device memory"), e.toString());
            failures++;
          }
          assertEquals(base, training.device.allocator().liveBytes(), way.name() + " " + n);
          assertEquals(0, training.trainer.step());
        }
        assertTrue(failures > 100, failures + " allocations failed");
      }
    }
  }

  private record ChainStrategy(String name, TowerStrategy strategy) {}

  private static String causes(Throwable e) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      text.append(cause.getMessage());
      if (cause instanceof OutOfDeviceMemoryException) {
        return text.toString();
      }
    }
    return "";
  }
}
