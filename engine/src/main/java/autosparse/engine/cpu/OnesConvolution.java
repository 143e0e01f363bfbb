package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.ConvolutionKernel;

/**
 * Convolution whose single input channel is 1 everywhere: the neighbourhood masks, spread to rows
 * of zeros and ones, are the gathered features. They are spread nine bits at a time from a table.
 */
final class OnesConvolution {
  private static final int GROUP_BITS = 9;
  private static final int CHUNK_SITES = 128;

  private final WorkerPool pool;
  private final float[] table = new float[GROUP_BITS << GROUP_BITS];

  OnesConvolution(WorkerPool pool) {
    this.pool = pool;
    for (int group = 0; group < 1 << GROUP_BITS; group++) {
      for (int bit = 0; bit < GROUP_BITS; bit++) {
        table[group * GROUP_BITS + bit] = group >>> bit & 1;
      }
    }
  }

  void forward(ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    long sites = y.dim(0);
    int fanOut = Math.toIntExact(y.dim(1));
    int width = width(kernel);
    try (TensorScope scope = y.device().root().child("convolution of ones")) {
      Tensor padded = ConvolutionWorkspace.paddedWeights(scope, width, fanOut);
      float[] values = new float[width * fanOut];
      weight.read(0, values, 0, kernel.offsets() * fanOut);
      padded.write(0, values, 0, values.length);
      long tiles = (sites + NeighborTile.SITES - 1) / NeighborTile.SITES;
      pool.run(
          tiles,
          (worker, tile) -> {
            Scratch scratch = pool.scratch(worker);
            long end = Math.min(sites, (tile + 1) * NeighborTile.SITES);
            for (long from = tile * NeighborTile.SITES; from < end; from += CHUNK_SITES) {
              int count = (int) Math.min(CHUNK_SITES, end - from);
              spread(masks, from, count, width, scratch);
              TileGemm.multiply(
                  count,
                  fanOut,
                  width,
                  scratch.nativePointer(),
                  padded.floatPointer(0),
                  y.floatPointer(from * fanOut));
              if (relu) {
                TileOutput.rectify(y, from * fanOut, count * fanOut, scratch);
              }
            }
          });
    }
  }

  void backward(ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    long sites = dz.dim(0);
    int fanOut = Math.toIntExact(dz.dim(1));
    int width = width(kernel);
    try (TensorScope scope = dz.device().root().child("convolution of ones, backward")) {
      SlicedSum sum = new SlicedSum(sites, width, fanOut, scope);
      pool.run(
          SlicedSum.slices(sites),
          (worker, slice) -> {
            Scratch scratch = pool.scratch(worker);
            sum.clear(slice);
            long end = SlicedSum.start(sites, slice + 1);
            for (long from = SlicedSum.start(sites, slice); from < end; from += CHUNK_SITES) {
              int count = (int) Math.min(CHUNK_SITES, end - from);
              spread(masks, from, count, width, scratch);
              TileGemm.accumulateTransposed(
                  width,
                  fanOut,
                  count,
                  scratch.nativePointer(),
                  dz.floatPointer(from * fanOut),
                  fanOut,
                  sum.partial(slice),
                  fanOut);
            }
          });
      float[] total = sum.total();
      float[] gradient = dWeight.toFloats();
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] += total[i];
      }
      dWeight.write(0, gradient, 0, gradient.length);
    }
  }

  /** Columns of the spread masks: the kernel's offsets, filled up with zeros. */
  static int width(ConvolutionKernel kernel) {
    return (kernel.offsets() + GROUP_BITS - 1) / GROUP_BITS * GROUP_BITS;
  }

  private void spread(Tensor masks, long from, int count, int width, Scratch scratch) {
    int[] bits = scratch.ints(0, count);
    masks.read(from, bits, 0, count);
    float[] rows = scratch.array(0, count * width);
    int at = 0;
    for (int i = 0; i < count; i++) {
      int rest = bits[i];
      for (int column = 0; column < width; column += GROUP_BITS) {
        int group = rest & ((1 << GROUP_BITS) - 1);
        System.arraycopy(table, group * GROUP_BITS, rows, at, GROUP_BITS);
        at += GROUP_BITS;
        rest >>>= GROUP_BITS;
      }
    }
    scratch.reserveNative(count * width);
    scratch.nativeFloats().put(0, rows, 0, count * width);
  }
}
