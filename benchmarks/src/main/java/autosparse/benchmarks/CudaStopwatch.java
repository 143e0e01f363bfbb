package autosparse.benchmarks;

import autosparse.engine.CudaDevice;
import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.kernels.CudaContext;
import autosparse.kernels.StreamMark;

/**
 * Times work on a GPU by events around it, with nothing of its inputs in the L2.
 *
 * <p>The cache is flushed by READING other memory through it: after writes, the work would have to
 * wait for them to be written back. While the device reads, the host queues the work, so that
 * launches of short work do not count; of work that takes the host longer than that they do.
 */
final class CudaStopwatch implements Stopwatch {
  /** Twice the largest L2 that there is (B200: 126 MB). */
  private static final long FLUSH_BYTES = 256L << 20;

  private static final long COLUMNS = 1024;

  private final CudaDevice device;
  private final Tensor flushed;
  private final Tensor sums;

  CudaStopwatch(CudaDevice device, TensorScope scope) {
    this.device = device;
    flushed =
        scope.create(
            "read to flush the L2",
            DType.F32,
            MemoryTag.WORKSPACE,
            FLUSH_BYTES / 4 / COLUMNS,
            COLUMNS);
    sums = scope.create("its sums", DType.F32, MemoryTag.WORKSPACE, COLUMNS);
    device.operators().elementwise().fill(flushed, 0);
  }

  @Override
  public Timing time(Runnable work) {
    CudaContext context = device.context();
    device.operators().reduction().columnSum(flushed, false, sums);
    try (StreamMark from = context.mark()) {
      long start = System.nanoTime();
      work.run();
      long queued = System.nanoTime();
      try (StreamMark to = context.mark()) {
        return new Timing(from.millisecondsTo(to), (queued - start) / 1e6);
      }
    }
  }
}
