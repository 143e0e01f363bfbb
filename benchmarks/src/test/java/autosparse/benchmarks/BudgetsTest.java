package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.InputException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BudgetsTest {
  private static Map<String, String> small() {
    return Budgets.settings(
        "device=cpu", "channels=8", "schedules=16", "steps=2", "copy=1000000", "compare=yes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"band:60000", "rmat:60000", "uniform:60000"})
  void aStepUnderABudgetIsTheStep(String matrix) {
    Budgets.Row kept = Budgets.run(matrix, "1G", small());
    assertEquals(TowerStrategy.KEEP_ALL, kept.planned().strategy());
    assertEquals(kept.planned().peakBytes(), kept.measuredPeak());
    long base = kept.planned().baseBytes();
    long budget = base + (kept.planned().capacityBytes() - base) * 6 / 10;
    Budgets.Row less = Budgets.run(matrix, String.valueOf(budget), small());
    assertTrue(less.planned().capacityBytes() <= budget, less.toString());
    assertEquals(less.planned().peakBytes(), less.measuredPeak());
    assertArrayEquals(kept.losses(), less.losses(), 1e-5 * Math.abs(kept.losses()[0]));
    assertTrue(less.floorMilliseconds() > 0 && less.milliseconds() > 0, less.toString());
    assertEquals(kept.floorMilliseconds(), less.floorMilliseconds(), 1e-9);
    assertClose(kept, less);
  }

  /** Of fresh weights: the loss that is compared is that of the first step, bit for bit. */
  private static void assertClose(Budgets.Row kept, Budgets.Row other) {
    Budgets.Compared first = kept.compared().orElseThrow();
    Budgets.Compared second = other.compared().orElseThrow();
    assertEquals(kept.losses()[0], first.step().loss());
    StepGradients.Difference step = second.step().from(first.step());
    assertTrue(step.loss() <= 1e-5 && step.gradient() <= 1e-5, step.toString());
    StepGradients.Difference tower = second.tower().from(first.tower());
    assertTrue(tower.gradient() <= 1e-5, tower.toString());
    assertTrue(tower.parameter().startsWith("tower."), tower.toString());
  }

  @Test
  void theWorstParameterIsNamed() {
    StepGradients one = step(2, 3, 4, 0);
    assertEquals(new StepGradients.Difference(0, 0, "a"), one.from(one));
    assertEquals(new StepGradients.Difference(0.5, 0.2, "a"), step(3, 3, 5, 0).from(one));
    assertEquals(
        new StepGradients.Difference(0, Double.POSITIVE_INFINITY, "b"), step(2, 3, 4, 1).from(one));
    StepGradients.Difference broken = step(2, Double.NaN, 4, 0).from(one);
    assertTrue(Double.isNaN(broken.gradient()) && broken.parameter().equals("a"));
  }

  /** Gradients (x, y) of one parameter and (z) of another. */
  private static StepGradients step(double loss, double x, double y, double z) {
    Map<String, double[]> byName = new LinkedHashMap<>();
    byName.put("a", new double[] {x, y});
    byName.put("b", new double[] {z});
    return new StepGradients(loss, byName);
  }

  @Test
  void stripsUnderASmallBudget() {
    Budgets.Row kept = Budgets.run("band:400000", "2G", small());
    long base = kept.planned().baseBytes();
    long budget = base + (kept.planned().capacityBytes() - base) / 4;
    Budgets.Row strips = Budgets.run("band:400000", String.valueOf(budget), small());
    assertTrue(strips.planned().strategy() instanceof TowerStrategy.Strips, strips.toString());
    assertEquals(strips.planned().peakBytes(), strips.measuredPeak());
    assertArrayEquals(kept.losses(), strips.losses(), 1e-5 * Math.abs(kept.losses()[0]));
    assertClose(kept, strips);
  }

  @Test
  void sourcesAreThePatternsOfTheSameName() {
    for (String name : new String[] {"band:20000", "rmat:20000"}) {
      RowSource source = Sources.of(name);
      Sites.Pattern whole = Patterns.of(name);
      Sites.Pattern read = source.read(0, source.rows());
      assertArrayEquals(whole.rowPointers(), read.rowPointers());
      assertArrayEquals(whole.columnIndices(), read.columnIndices());
    }
  }

  @Test
  void whatIsWrongIsSaid() {
    assertThrows(InputException.class, () -> Budgets.settings("nonsense"));
    assertThrows(InputException.class, () -> Budgets.bytes("12T"));
    assertThrows(InputException.class, () -> Budgets.bytes("9999999999G"), "more than a long");
    for (String wrong :
        new String[] {
          "channels=0", "steps=9999999999", "schedules=-1", "copy=0", "compare=maybe"
        }) {
      String refusal =
          assertThrows(InputException.class, () -> Budgets.settings(wrong)).getMessage();
      assertTrue(refusal.startsWith(wrong + ", expected "), refusal);
    }
    assertThrows(InputException.class, () -> Sources.of("band:x"));
    assertEquals(3L << 30, Budgets.bytes("3G"));
    String message =
        assertThrows(InputException.class, () -> Budgets.run("band:60000", "12M", small()))
            .getMessage();
    assertTrue(message.matches("budget=12M: a step on band:60000 takes \\d+ bytes .*"), message);
  }
}
