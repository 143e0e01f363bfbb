package autosparse.engine.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.kernels.HostLedger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {1, 2, 5})
  void runsEveryTileOnce(int threads) {
    try (WorkerPool pool = new WorkerPool(threads, new HostLedger())) {
      for (int tiles : new int[] {0, 1, 2, 7, 1000}) {
        AtomicIntegerArray runs = new AtomicIntegerArray(Math.max(1, tiles));
        pool.run(tiles, (worker, tile) -> runs.incrementAndGet((int) tile));
        for (int tile = 0; tile < tiles; tile++) {
          assertEquals(1, runs.get(tile), "tile " + tile + " of " + tiles);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {1, 2, 5})
  void aTilesExceptionReachesTheCallerAndThePoolLivesOn(int threads) {
    IllegalStateException exception = new IllegalStateException("tile 3");
    AssertionError error = new AssertionError("tile 4");
    try (WorkerPool pool = new WorkerPool(threads, new HostLedger())) {
      assertSame(
          exception,
          assertThrows(IllegalStateException.class, () -> pool.run(10, throwAt(3, exception))));
      assertSame(error, assertThrows(AssertionError.class, () -> pool.run(10, throwAt(4, error))));
      AtomicIntegerArray runs = new AtomicIntegerArray(1);
      pool.run(10, (worker, tile) -> runs.incrementAndGet(0));
      assertEquals(10, runs.get(0));
    }
  }

  private static WorkerPool.Tile throwAt(long wanted, Throwable thrown) {
    return (worker, tile) -> {
      if (tile == wanted) {
        if (thrown instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) thrown;
      }
    };
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {2, 5})
  void anInterruptIsKeptButDoesNotLeaveTilesRunning(int threads) {
    try (WorkerPool pool = new WorkerPool(threads, new HostLedger())) {
      AtomicIntegerArray runs = new AtomicIntegerArray(1);
      Thread.currentThread().interrupt();
      pool.run(100, (worker, tile) -> runs.incrementAndGet(0));
      assertEquals(100, runs.get(0));
      assertEquals(true, Thread.interrupted());
    }
  }
}
