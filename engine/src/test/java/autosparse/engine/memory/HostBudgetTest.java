package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class HostBudgetTest {
  private static final long GIB = 1L << 30;
  private static final long SCRATCH = 16L << 20;

  private static HostBudget budget(long asked, boolean tensors, long most, long heap) {
    return HostBudget.of(asked, tensors, Map.of("scratch", SCRATCH), most, heap);
  }

  private static String refused(Executable work) {
    String message = assertThrows(MemoryBudgetException.class, work).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  private static long outside(long heap) {
    return budget(0, false, 1L << 50, heap).outsideBytes();
  }

  @Test
  void theHeapsLimitIsInABudgetThatWasAskedFor() {
    HostBudget budget = budget(6 * GIB, true, 20 * GIB, 2 * GIB);
    assertEquals(2 * GIB, budget.heapBytes());
    MemoryBudget tensors = budget.tensorBudget();
    assertEquals(4 * GIB - outside(2 * GIB), tensors.range());
    assertEquals(6 * GIB, tensors.bytesFor(tensors.range()));
    assertEquals(HostBudget.FLAG, tensors.flag());
    assertTrue(tensors.takenText().startsWith("Java heap " + 2 * GIB + ", JVM "));
    assertFalse(budget.heapMayExceed());
  }

  @Test
  void lessThanHeapAndRestIsRefusedWithTheLeastThatWorks() {
    long least = 2 * GIB + outside(2 * GIB);
    String message = refused(() -> budget(least - 1, false, 20 * GIB, 2 * GIB));
    assertTrue(
        message.startsWith(
            "--host-memory-budget: "
                + (least - 1)
                + " bytes, expected at least "
                + least
                + ": the Java heap may grow to "
                + 2 * GIB
                + " (java -Xmx), outside of it: JVM "),
        message);
    assertEquals(least, budget(least, false, 20 * GIB, 2 * GIB).bytes());
    // Nothing is left for tensors, where these are host memory.
    HostBudget full = budget(least, true, 20 * GIB, 2 * GIB);
    assertTrue(refused(full::tensorBudget).contains("expected more than the " + least));
  }

  @Test
  void moreThanTheMachineHasIsRefused() {
    assertTrue(
        refused(() -> budget(21 * GIB, true, 20 * GIB, 2 * GIB))
            .startsWith(
                "--host-memory-budget: " + 21 * GIB + " bytes, expected at most " + 20 * GIB));
  }

  /** A heap that may grow beyond what is free is said so, not refused: it may never. */
  @Test
  void chosenByTheMachineHeapAndTensorsShareWhatThereIs() {
    HostBudget budget = budget(0, true, 4 * GIB, 8 * GIB);
    assertTrue(budget.heapMayExceed());
    long left = 4 * GIB - budget.outsideBytes();
    assertEquals(left / 2, budget.heapBytes());
    long kept = 2 * GIB;
    HostBudget more = budget.keeping("matrices " + kept + " bytes are kept", kept);
    assertEquals(HostBudget.heapFor(kept), more.heapBytes());
    assertEquals(left - more.heapBytes(), more.tensorBudget().range());
    assertEquals(left, budget(0, false, 4 * GIB, 8 * GIB).heapBytes(), "no tensors here");
    assertEquals(GIB, budget(0, true, 20 * GIB, GIB).heapBytes(), "no more than it may grow to");
  }

  @Test
  void aHeapThatIsTooSmallIsTheFlagToChange() {
    HostBudget budget = budget(0, true, 20 * GIB, GIB);
    long kept = budget.mostKept();
    assertEquals(HostBudget.heapFor(kept), budget.keeping("x", kept).heapNeed());
    String message = refused(() -> budget.keeping("matrices " + 2 * GIB + " bytes", 2 * GIB));
    long need = HostBudget.heapFor(2 * GIB);
    assertEquals(
        "-Xmx: matrices "
            + 2 * GIB
            + " bytes, a Java heap of "
            + need
            + " bytes with what comes and goes; it may grow to "
            + GIB
            + ": start with java -Xmx"
            + ((need + (1 << 20) - 1) >> 20)
            + "m or more",
        message);
  }

  @Test
  void aBudgetThatIsTooSmallIsTheFlagToChange() {
    HostBudget budget = budget(3 * GIB, false, 20 * GIB, 2 * GIB);
    long kept = 4 * GIB;
    long least = HostBudget.heapFor(kept) + budget.outsideBytes();
    String message = refused(() -> budget.keeping("matrices 7 bytes", kept));
    assertTrue(message.startsWith("--host-memory-budget: matrices 7 bytes, a Java heap of "));
    assertTrue(
        message.contains("raise --host-memory-budget to " + least + " or more, and the heap to"),
        message);
    String free = refused(() -> budget(0, true, 3 * GIB, 9 * GIB).keeping("matrices", kept));
    assertTrue(free.contains("this process can have " + 3 * GIB + ": free memory to "), free);
    assertFalse(free.contains("-Xmx"), free);
  }

  @Test
  void whatMayBeKeptFits() {
    for (long heap : new long[] {GIB, 2 * GIB, 3 * GIB + 5}) {
      HostBudget budget = budget(0, false, 20 * GIB, heap);
      budget.keeping("most", budget.mostKept());
      refused(() -> budget.keeping("more", budget.mostKept() + 1));
    }
    assertEquals(0, budget(0, false, outside(GIB) + 5, GIB).mostKept());
  }
}
