package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is page-locked is booked to the byte, and a context that plans books the same. */
class HostLedgerTest {
  private static void work(CudaContext context) {
    context.kernel("elementwise", "fill_f32");
    context.kernel("elementwise", "add_f32");
    context.upload(() -> {});
    context.upload(() -> {});
  }

  @Test
  void aContextBooksWhatItTakesAndGivesBack() {
    FakeDriver driver = new FakeDriver();
    CudaContext context = CudaContext.open(() -> driver, 0);
    work(context);
    assertEquals(driver.pinnedBytes, context.hostLedger().liveBytes());
    assertTrue(driver.pinnedBytes > CudaContext.STAGING_BYTES, "arguments of kernels");
    assertEquals(
        CudaContext.STAGING_BYTES, context.hostLedger().peak().get(HostLedger.Kind.STAGING));
    for (int round = 0; round < 2000; round++) {
      context.upload(() -> {});
    }
    assertEquals(driver.pinnedBytes, context.hostLedger().liveBytes());
    context.close();
    assertEquals(0, context.hostLedger().liveBytes());
    assertEquals(0, driver.pinnedBytes);
  }

  @Test
  void plannedIsMeasured() {
    try (CudaContext planned = CudaContext.planning(FakeDriver.GPU, false);
        CudaContext real = CudaContext.open(FakeDriver::new, 0)) {
      work(planned);
      work(real);
      assertEquals(real.hostLedger().peak(), planned.hostLedger().peak());
    }
  }

  @Test
  void peaksStayWhenBytesAreGivenBack() {
    HostLedger ledger = new HostLedger();
    ledger.taken(HostLedger.Kind.SCRATCH, 100);
    ledger.taken(HostLedger.Kind.STAGING, 7);
    ledger.given(HostLedger.Kind.SCRATCH, 100);
    ledger.taken(HostLedger.Kind.SCRATCH, 30);
    assertEquals(37, ledger.liveBytes());
    assertEquals(Map.of(HostLedger.Kind.SCRATCH, 100L, HostLedger.Kind.STAGING, 7L), ledger.peak());
  }
}
