package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.training.StepPlan.Slice;
import autosparse.costmodel.training.StepPlan.Step;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepPlanTest {
  private static final int MATRICES = 3;

  @TempDir static Path folder;
  private static TrainingData data;

  /** SpMM on three matrices, SpMV on the same, tasks of unequal size. */
  @BeforeAll
  static void write() throws IOException {
    List<Op> ops = List.of(Op.SPMM, Op.SPMV);
    data = SyntheticData.write(folder, MATRICES, ops, 50, 21, 2, 7, 90, 33).load(ops);
  }

  private static StepPlan plan(int batch, int matricesPerStep, long seed) {
    return plan(batch, 0, matricesPerStep, seed);
  }

  private static StepPlan plan(int batch, int batchesPerEpoch, int matricesPerStep, long seed) {
    return new StepPlan(
        data,
        new TrainingConfig(
            RankingLoss.LAMBDARANK,
            1,
            batch,
            batchesPerEpoch,
            matricesPerStep,
            1e-3,
            RateSchedule.CONSTANT,
            0,
            true,
            0,
            0,
            seed));
  }

  /** As WACO trains: one random batch of each task, another one in the next epoch. */
  @ParameterizedTest
  @CsvSource({"16, 1", "16, 2", "1000, 1"})
  void limitedBatchesAreRandomAndWhole(int batch, int batches) {
    StepPlan plan = plan(batch, batches, 1, 1);
    Map<Integer, Set<Integer>> inEpoch = new HashMap<>();
    Map<Integer, Set<Integer>> ever = new HashMap<>();
    for (int epoch = 0; epoch < 40; epoch++) {
      inEpoch.clear();
      List<Step> steps = plan.epoch(epoch);
      assertEquals(plan.stepsPerEpoch(), steps.size());
      for (Step step : steps) {
        for (Slice slice : step.slices()) {
          for (int index : slice.indices()) {
            assertTrue(
                inEpoch.computeIfAbsent(slice.task(), t -> new HashSet<>()).add(index), "twice");
            ever.computeIfAbsent(slice.task(), t -> new HashSet<>()).add(index);
          }
        }
      }
      for (int t = 0; t < data.tasks().size(); t++) {
        int size = data.tasks().get(t).train().length;
        assertEquals(Math.min(size, batch * batches), inEpoch.get(t).size(), "task " + t);
      }
    }
    assertTrue(plan.stepsPerEpoch() <= MATRICES * batches);
    ever.forEach((t, seen) -> assertEquals(data.tasks().get(t).train().length, seen.size()));
  }

  private static String print(List<Step> steps) {
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(step.matrices());
      for (Slice slice : step.slices()) {
        text.append(' ').append(slice.task()).append(Arrays.toString(slice.indices()));
      }
      text.append('\n');
    }
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "8, 1", "1000, 1", "8, 2", "8, 3", "16, 100"})
  void everyTrainingScheduleOnceAnEpoch(int batch, int matricesPerStep) {
    StepPlan plan = plan(batch, matricesPerStep, 1);
    for (int epoch = 0; epoch < 3; epoch++) {
      List<Step> steps = plan.epoch(epoch);
      assertEquals(plan.stepsPerEpoch(), steps.size());
      Map<Integer, Set<Integer>> seen = new HashMap<>();
      for (Step step : steps) {
        assertTrue(!step.slices().isEmpty());
        Set<Integer> tasks = new HashSet<>();
        for (Slice slice : step.slices()) {
          assertTrue(tasks.add(slice.task()), "one slice a task and step");
          assertTrue(step.matrices().contains(data.tasks().get(slice.task()).matrix()));
          assertTrue(slice.indices().length >= 1 && slice.indices().length <= batch);
          for (int index : slice.indices()) {
            assertTrue(seen.computeIfAbsent(slice.task(), t -> new TreeSet<>()).add(index));
          }
        }
      }
      for (int t = 0; t < data.tasks().size(); t++) {
        Set<Integer> expected = new TreeSet<>();
        Arrays.stream(data.tasks().get(t).train()).forEach(expected::add);
        assertEquals(expected, seen.get(t));
      }
    }
  }

  @Test
  void allOperatorsOfAMatrixShareItsSteps() {
    int shared = 0;
    for (Step step : plan(8, 1, 1).epoch(0)) {
      assertEquals(1, step.matrices().size());
      Set<Op> ops = new HashSet<>();
      step.slices().forEach(slice -> ops.add(data.tasks().get(slice.task()).task().op()));
      // A task with fewer schedules than the matrix has steps sits some of them out.
      boolean small =
          step.matrices().contains(matrix("m2")) || step.matrices().contains(matrix("m0"));
      assertTrue(small || ops.size() == 2, step.toString());
      shared += ops.size() == 2 ? 1 : 0;
    }
    assertTrue(shared > 5, shared + " steps with both operators");
  }

  private static int matrix(String name) {
    for (TaskData task : data.tasks()) {
      if (task.task().matrix().equals(name)) {
        return task.matrix();
      }
    }
    throw new AssertionError(name);
  }

  @Test
  void piecesOfATaskDifferByAtMostOne() {
    Map<Integer, TreeSet<Integer>> sizes = new HashMap<>();
    for (Step step : plan(8, 1, 1).epoch(0)) {
      for (Slice slice : step.slices()) {
        sizes.computeIfAbsent(slice.task(), t -> new TreeSet<>()).add(slice.indices().length);
      }
    }
    sizes.forEach((task, set) -> assertTrue(set.last() - set.first() <= 1, task + ": " + set));
  }

  @Test
  void aFunctionOfSeedAndEpoch() {
    String first = print(plan(8, 2, 1).epoch(1));
    StepPlan plan = plan(8, 2, 1);
    plan.epoch(0);
    plan.epoch(7);
    assertEquals(first, print(plan.epoch(1)), "whatever was asked for before");
    assertNotEquals(first, print(plan.epoch(2)));
    assertNotEquals(first, print(plan(8, 2, 2).epoch(1)));
  }

  @Test
  void matricesAreGroupedBySize() {
    Set<List<Integer>> groups = new HashSet<>();
    plan(8, 2, 1).epoch(0).forEach(step -> groups.add(step.matrices()));
    assertEquals(Set.of(List.of(matrix("m0"), matrix("m1")), List.of(matrix("m2"))), groups);
    groups.clear();
    plan(8, 3, 1).epoch(0).forEach(step -> groups.add(step.matrices()));
    assertEquals(Set.of(List.of(matrix("m0"), matrix("m1"), matrix("m2"))), groups);
  }

  @Test
  void tasksWithoutTrainingSchedulesAreLeftOut() {
    List<TaskData> tasks =
        data.tasks().stream()
            .map(
                task ->
                    task.task().matrix().equals("m1")
                        ? new TaskData(
                            task.task(), task.problem(), task.matrix(), new int[0], task.train())
                        : task)
            .toList();
    TrainingData held = new TrainingData(tasks, data.patterns(), data.split());
    StepPlan plan =
        new StepPlan(
            held,
            new TrainingConfig(
                RankingLoss.MARGIN, 1, 8, 0, 3, 1e-3, RateSchedule.CONSTANT, 0, true, 0, 0, 1));
    for (Step step : plan.epoch(0)) {
      assertEquals(List.of(matrix("m0"), matrix("m2")), step.matrices());
    }
    assertEquals(List.of("m0", "m2"), held.trainingMatrices());
  }
}
