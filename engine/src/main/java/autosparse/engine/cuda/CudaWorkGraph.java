package autosparse.engine.cuda;

import autosparse.engine.WorkGraph;
import autosparse.engine.memory.DeviceBlocks;
import autosparse.kernels.CapturedWork;
import autosparse.kernels.CudaContext;

/**
 * A piece that is captured when it runs the second time: work that comes once does not pay for a
 * capture, and what libraries load at their first call is loaded by then.
 */
public final class CudaWorkGraph implements WorkGraph {
  private final CudaContext context;
  private final DeviceBlocks blocks;
  private final String name;
  private final Runnable piece;
  private CapturedWork captured;
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
    if (captured == null) {
      blocks.keepForReplays(() -> captured = context.capture(name, piece));
    }
    captured.launch();
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
    }
  }
}
