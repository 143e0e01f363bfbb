package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.kernels.DeviceAccounts;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private static final long GIB = 1L << 30;
  private static final long ALLOWANCES =
      MemoryBudget.GRAPHS_BYTES + MemoryBudget.FIRST_LAUNCHES_BYTES;
  private static final Map<String, Long> TAKEN = Map.of(DeviceAccounts.CONTEXT, GIB / 2);

  @Test
  void tensorsGetWhatTheRestLeaves() {
    MemoryBudget budget = MemoryBudget.onGpu("cuda:0 X", 4 * GIB, TAKEN, 20 * GIB, 40 * GIB);
    assertEquals(4 * GIB, budget.bytes());
    assertEquals(4 * GIB - GIB / 2 - ALLOWANCES, budget.range());
    assertEquals(budget.bytes(), budget.bytesFor(budget.range()));
    assertTrue(budget.takenText().contains("context " + GIB / 2), budget.takenText());
  }

  @Test
  void aRangeAsksForABudget() {
    MemoryBudget budget = MemoryBudget.around(GIB, TAKEN);
    assertEquals(GIB, budget.range());
    assertEquals(GIB + GIB / 2 + ALLOWANCES, budget.bytes());
  }

  @Test
  void chosenByTheMachineItLeavesAMarginOfWhatIsFree() {
    // 16 of 40 GiB are other processes': they stay theirs.
    MemoryBudget budget = MemoryBudget.onGpu("cuda:0 X", 0, TAKEN, 24 * GIB, 40 * GIB);
    assertEquals(24 * GIB + GIB / 2 - 40 * GIB / 16, budget.bytes());
    MemoryBudget small = MemoryBudget.onGpu("cuda:0 X", 0, TAKEN, 3 * GIB, 4 * GIB);
    assertEquals(3 * GIB, small.bytes());
  }

  @Test
  void whatOtherProcessesTakeMeanwhileIsNotThisOnes() {
    MemoryBudget budget =
        MemoryBudget.onGpu(
            "cuda:0 X",
            4 * GIB,
            Map.of(DeviceAccounts.CONTEXT, 9 * GIB, MemoryBudget.MODULES, 7L),
            20 * GIB,
            40 * GIB);
    assertTrue(budget.taken().get(DeviceAccounts.CONTEXT) < GIB, budget.takenText());
    assertEquals(7, budget.taken().get(MemoryBudget.MODULES));
    assertEquals(
        4 * GIB - budget.taken().get(DeviceAccounts.CONTEXT) - 7 - ALLOWANCES, budget.range());
  }

  private static void refused(long asked, long free, String... parts) {
    String message =
        assertThrows(
                MemoryBudgetException.class,
                () -> MemoryBudget.onGpu("cuda:0 X", asked, TAKEN, free, 40 * GIB))
            .getMessage();
    assertEquals(1, message.lines().count(), message);
    for (String part : List.of(parts)) {
      assertTrue(message.contains(part), () -> "no '" + part + "' in " + message);
    }
  }

  @Test
  void moreThanIsFreeIsRefused() {
    refused(
        8 * GIB,
        6 * GIB,
        "--memory-budget: " + 8 * GIB,
        "expected at most " + (6 * GIB + GIB / 2),
        "cuda:0 X of " + 40 * GIB);
  }

  @Test
  void lessThanTheRestTakesIsRefused() {
    refused(
        GIB / 2,
        6 * GIB,
        "--memory-budget: " + GIB / 2,
        "expected more than the " + (GIB / 2 + ALLOWANCES),
        "context " + GIB / 2,
        MemoryBudget.GRAPHS);
    refused(
        0,
        GIB,
        "--memory-budget: auto leaves others " + 5 * GIB / 2 + " bytes and is 0 bytes",
        "context");
  }

  @Test
  void allIsForTensorsWhereThereIsNoDriver() {
    assertEquals(GIB, MemoryBudget.ofTensors(GIB).range());
    assertEquals(256, MemoryBudget.ofTensors(511).capacity());
    assertEquals(0, MemoryBudget.planned(256).capacity());
    assertTrue(MemoryBudget.planned(GIB).range() < GIB / 2);
  }
}
