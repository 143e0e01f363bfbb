package autosparse.engine.cpu;

import autosparse.kernels.HostLedger;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The CPU engine's threads. Work is cut into tiles by the caller, independent of the number of
 * threads; each tile is done by one thread, so results do not depend on who takes which.
 */
final class WorkerPool implements AutoCloseable {
  /** One tile's work; {@code worker} selects thread-owned scratch memory. */
  @FunctionalInterface
  interface Tile {
    void run(int worker, long tile);
  }

  private final int threads;
  private final ExecutorService helpers;
  private final Scratch[] scratch;

  WorkerPool(int threads, HostLedger host) {
    this.threads = threads;
    scratch = new Scratch[threads];
    for (int w = 0; w < threads; w++) {
      scratch[w] = new Scratch(host);
    }
    helpers =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads - 1,
                task -> {
                  Thread thread = new Thread(task, "autosparse-cpu");
                  thread.setDaemon(true);
                  return thread;
                });
  }

  int threads() {
    return threads;
  }

  /** Memory that belongs to one worker while it runs a tile. */
  Scratch scratch(int worker) {
    return scratch[worker];
  }

  /** Runs tiles 0 to {@code tiles} − 1 and waits; the caller is worker 0. */
  void run(long tiles, Tile work) {
    int workers = (int) Math.min(threads, tiles);
    if (workers <= 1) {
      for (long tile = 0; tile < tiles; tile++) {
        work.run(0, tile);
      }
      return;
    }
    AtomicLong next = new AtomicLong();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CountDownLatch done = new CountDownLatch(workers - 1);
    for (int w = 1; w < workers; w++) {
      int worker = w;
      helpers.execute(
          () -> {
            try {
              drain(worker, tiles, next, work, failure);
            } finally {
              done.countDown();
            }
          });
    }
    drain(0, tiles, next, work, failure);
    awaitAll(done);
    Throwable thrown = failure.get();
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown != null) {
      throw (RuntimeException) thrown;
    }
  }

  private static void drain(
      int worker, long tiles, AtomicLong next, Tile work, AtomicReference<Throwable> failure) {
    try {
      for (long tile = next.getAndIncrement();
          tile < tiles && failure.get() == null;
          tile = next.getAndIncrement()) {
        work.run(worker, tile);
      }
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  /** Waits without giving up: the helpers write into tensors that the caller would free. */
  private static void awaitAll(CountDownLatch done) {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (helpers != null) {
      helpers.shutdown();
    }
    for (Scratch s : scratch) {
      s.close();
    }
  }
}
