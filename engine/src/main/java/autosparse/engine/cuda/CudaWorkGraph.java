package autosparse.engine.cuda;

import autosparse.engine.WorkGraph;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.engine.memory.MemoryBudget;
import autosparse.kernels.CapturedWork;
import autosparse.kernels.CudaContext;

/**
 * A piece that is captured when it runs the second time: work that comes once does not pay for a
 * capture, and what libraries load at their first call is loaded by then.
 *
 * <p>A graph takes device memory that is the driver's. Once all of them have taken what the budget
 * leaves them, further pieces stay what they are without a graph: launches, one by one.
 */
public final class CudaWorkGraph implements WorkGraph {
  private final CudaContext context;
  private final DeviceBlocks blocks;
  private final String name;
  private final Runnable piece;
  private CapturedWork captured;
  private long bytes;
  private boolean hasRun;
  private boolean closed;

  public CudaWorkGraph(CudaContext context, DeviceBlocks blocks, String name, Runnable piece) {
    this.context = context;
    this.blocks = blocks;
    this.name = name;
    this.piece = piece;
  }

  @Override
  public void run() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
    // Guards are read when their block is freed, which a captured piece cannot wait for.
    if (!hasRun || blocks.isGuarded()) {
      piece.run();
      hasRun = true;
      return;
    }
    if (captured == null && !capture()) {
      piece.run();
      return;
    }
    captured.launch();
  }

  /** Returns whether there was memory for it. */
  private boolean capture() {
    long graphs = context.accounts().taken().getOrDefault(MemoryBudget.GRAPHS, 0L);
    if (graphs >= MemoryBudget.GRAPHS_BYTES) {
      return false; // before the driver is asked for anything: this is every run's way from now on
    }
    context.accounts().book(MemoryBudget.FIRST_LAUNCHES);
    blocks.keepForReplays(() -> captured = context.capture(name, piece));
    bytes = context.accounts().book(MemoryBudget.GRAPHS);
    return true;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (captured != null) {
      captured.close();
      blocks.endReplays();
      context.accounts().release(MemoryBudget.GRAPHS, bytes);
    }
  }
}
