package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryLedgerTest {
  @Test
  void keepsLiveAndPeakBytesByTag() {
    MemoryLedger ledger = new MemoryLedger();
    ledger.allocated(MemoryTag.WEIGHTS, "w", 0, 256);
    ledger.allocated(MemoryTag.ACTIVATION, "a", 256, 1024);
    ledger.freed(MemoryTag.ACTIVATION, "a", 256, 1024);
    ledger.allocated(MemoryTag.WORKSPACE, "t", 256, 512);
    assertEquals(768, ledger.liveBytes());
    assertEquals(0, ledger.liveBytes(MemoryTag.ACTIVATION));
    assertEquals(512, ledger.liveBytes(MemoryTag.WORKSPACE));
    assertEquals(1280, ledger.peakBytes());
    assertEquals(1024, ledger.peakBytes(MemoryTag.ACTIVATION));
    assertEquals(Map.of(MemoryTag.WEIGHTS, 256L, MemoryTag.ACTIVATION, 1024L), ledger.atPeak());
  }

  @Test
  void resetPeaksStartAtWhatIsLive() {
    MemoryLedger ledger = new MemoryLedger();
    ledger.allocated(MemoryTag.WEIGHTS, "w", 0, 256);
    ledger.allocated(MemoryTag.WORKSPACE, "t", 256, 1024);
    ledger.freed(MemoryTag.WORKSPACE, "t", 256, 1024);
    ledger.resetPeak();
    assertEquals(256, ledger.peakBytes());
    assertEquals(0, ledger.peakBytes(MemoryTag.WORKSPACE));
    ledger.allocated(MemoryTag.WORKSPACE, "t", 256, 512);
    assertEquals(768, ledger.peakBytes());
    assertEquals(256, ledger.atPeak().get(MemoryTag.WEIGHTS));
  }

  @Test
  void recordsEventsOnlyWhenAsked() {
    MemoryLedger ledger = new MemoryLedger();
    ledger.allocated(MemoryTag.SITES, "before", 0, 256);
    ledger.setRecording(true);
    ledger.freed(MemoryTag.SITES, "before", 0, 256);
    assertEquals(1, ledger.events().size());
    MemoryLedger.Event event = ledger.events().get(0);
    assertEquals(MemoryLedger.Action.FREE, event.action());
    assertEquals("before", event.name());
    assertEquals(0, event.liveBytes());
    assertTrue(event.nanos() != 0);
  }

  @Test
  void blocksAreOfThePartThatTookThem() {
    MemoryLedger ledger = new MemoryLedger();
    ledger.setRecording(true);
    ledger.within(
        "outer",
        () -> {
          ledger.allocated(MemoryTag.ACTIVATION, "a", 0, 256);
          ledger.within("inner", () -> take(ledger, 256));
          ledger.freed(MemoryTag.WORKSPACE, "w", 256, 256);
          return take(ledger, 512);
        });
    ledger.freed(MemoryTag.ACTIVATION, "a", 0, 256);
    take(ledger, 0);
    assertEquals(
        List.of("outer", "inner", "inner", "outer", "outer", ""),
        ledger.events().stream().map(MemoryLedger.Event::part).toList());
    assertThrows(
        IllegalStateException.class,
        () ->
            ledger.within(
                "failing",
                () -> {
                  throw new IllegalStateException("no room");
                }));
    assertEquals("", ledger.part());
  }

  private static long take(MemoryLedger ledger, long offset) {
    ledger.allocated(MemoryTag.WORKSPACE, "w", offset, 256);
    return offset;
  }
}
