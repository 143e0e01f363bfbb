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
 *
 * <p>The order on a device that queues work, for strip i: {@link #next} has the work queued from
 * then on wait for i's copy, and begins the upload of i + 1, whose buffer the work on i - 1, all
 * queued by then, used last. Then the work on i is queued, and only then does {@link #fetch} wait
 * for the host's rows of i + 1 and copy them: the device works on i meanwhile.
 */
final class StripRows implements AutoCloseable {
  private final Device device;
  private final TensorScope scope;
  private final List<Strip> strips;
  private final List<SiteBuffer> buffers = new ArrayList<>();

  /** Null on a planning device, which reads what it has to count and nothing else. */
  private final ExecutorService reader;

  private CompletableFuture<Sites.Pattern> reading;

  /** What is read when all strips are; null for nothing. */
  private final Strip following;

  private int uploaded;
  private int next;

  /**
   * @param first rows of the first strip, on their way already; null to have them read
   * @param following strip that another pass starts with, read when all of these are; null for none
   */
  StripRows(
      TensorScope parent,
      List<Strip> strips,
      CompletableFuture<Sites.Pattern> first,
      Strip following) {
    this.device = parent.device();
    this.strips = strips;
    this.reading = first;
    this.following = following;
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
      if (first == null) {
        readNext();
      }
      device.beginUpload();
      fetch();
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
    device.beginUpload();
    Strip strip = strips.get(next);
    Sites sites = buffers.get(next % buffers.size()).sites(strip.rows());
    next++;
    return sites;
  }

  private void readNext() {
    Strip strip = uploaded < strips.size() ? strips.get(uploaded) : following;
    reading =
        reader == null || strip == null
            ? null
            : CompletableFuture.supplyAsync(() -> strip.rows().read(), reader);
  }

  /**
   * Has the strip copied that follows those copied so far, and the one after it read; to be called
   * when all work on the rows of {@link #next} is queued.
   */
  void fetch() {
    if (uploaded == strips.size()) {
      return;
    }
    SiteBuffer buffer = buffers.get(uploaded % buffers.size());
    uploaded++;
    if (reader != null) {
      Sites.Pattern rows = await();
      readNext();
      device.fillUpload(() -> buffer.write(rows));
    }
  }

  /** The rows of the strip that follows these, on their way; null where nobody reads any. */
  CompletableFuture<Sites.Pattern> following() {
    return reading;
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
