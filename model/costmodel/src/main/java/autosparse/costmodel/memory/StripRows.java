package autosparse.costmodel.memory;

import autosparse.engine.Device;
import autosparse.engine.PlanningDevice;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.SiteBuffer;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Brings the rows of strips to a device one after the other. While a strip is at work the next one
 * is copied to a second buffer, on a device that queues work beside that work, and the one after it
 * is read or made by a thread of the host. Two strips' rows are on the device and two on the host,
 * however many there are.
 */
final class StripRows implements AutoCloseable {
  private final Device device;
  private final TensorScope scope;
  private final List<Strip> strips;
  private final List<SiteBuffer> buffers = new ArrayList<>();

  /** Null on a planning device, which reads what it has to count and nothing else. */
  private final ExecutorService reader;

  private CompletableFuture<Sites.Pattern> reading;
  private int uploaded;
  private int next;

  StripRows(TensorScope parent, List<Strip> strips) {
    this.device = parent.device();
    this.strips = strips;
    this.scope = parent.child("strip rows");
    this.reader =
        device instanceof PlanningDevice || strips.isEmpty()
            ? null
            : Executors.newSingleThreadExecutor(StripRows::thread);
    try {
      long rows = strips.stream().mapToLong(Strip::rowCount).max().orElse(0);
      long sites = strips.stream().mapToLong(Strip::sites).max().orElse(0);
      for (int b = 0; b < Math.min(2, strips.size()); b++) {
        buffers.add(new SiteBuffer(scope, rows, sites));
      }
      read(0);
      upload();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "strip-reader");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * The rows of the next strip. Those of the strip before it are not to be used any more: work on
   * them may be queued still, new work may not.
   */
  Sites next() {
    device.awaitUploads();
    Strip strip = strips.get(next);
    Sites sites = buffers.get(next % buffers.size()).sites(strip.rows());
    next++;
    upload();
    return sites;
  }

  private void read(int strip) {
    if (reader != null && strip < strips.size()) {
      reading = CompletableFuture.supplyAsync(() -> strips.get(strip).rows().read(), reader);
    }
  }

  /** Has the strip copied that follows those copied so far, and the one after it read. */
  private void upload() {
    if (uploaded == strips.size()) {
      return;
    }
    SiteBuffer buffer = buffers.get(uploaded % buffers.size());
    uploaded++;
    if (reader != null) {
      Sites.Pattern rows = await();
      read(uploaded);
      device.upload(() -> buffer.write(rows));
    }
  }

  private Sites.Pattern await() {
    try {
      return reading.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause; // out of memory on the reader's thread is that here
      }
      throw e;
    }
  }

  @Override
  public void close() {
    if (reader != null) {
      reader.shutdown(); // a read under way ends by itself: an interrupt would close its file
    }
    device.awaitUploads();
    scope.close();
  }
}
