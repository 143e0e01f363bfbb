package autosparse.benchmarks;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;

/** Attention, forward, over sequences of one length, packed. */
final class AttentionWorkload implements Workload {
  private final TensorScope scope;
  private final Tensor qkv;
  private final Tensor offsets;
  private final Tensor out;
  private final Tensor logSumExp;
  private final int heads;
  private final double flops;

  /**
   * @param batch number of sequences
   * @param length tokens of each
   * @param width of a head
   */
  AttentionWorkload(BenchmarkDevice on, int batch, int length, int heads, int width) {
    this.heads = heads;
    scope = on.scope().child("attention");
    DType type = scope.device().activation();
    long tokens = (long) batch * length;
    long channels = (long) heads * width;
    qkv = scope.create("qkv", type, MemoryTag.ACTIVATION, tokens, 3 * channels);
    RandomTensors.fill(qkv, 1);
    long[] starts = new long[batch + 1];
    for (int b = 0; b < batch; b++) {
      starts[b + 1] = starts[b] + length;
    }
    offsets = scope.longs("offsets", MemoryTag.INPUT, starts);
    out = scope.create("out", type, MemoryTag.ACTIVATION, tokens, channels);
    logSumExp = scope.real("log sum exp", MemoryTag.ACTIVATION, tokens, heads);
    flops = 4.0 * tokens * length * channels;
  }

  @Override
  public void run() {
    scope.device().operators().attention().attention(qkv, offsets, heads, out, logSumExp);
  }

  @Override
  public Cost cost() {
    double bytes = qkv.bytes() + offsets.bytes() + out.bytes() + logSumExp.bytes();
    return Cost.of(flops, bytes);
  }

  @Override
  public void close() {
    scope.close();
  }
}
