package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;

/**
 * Sparse convolution as GEMM over gathered chunks of sites.
 *
 * <p>Forward is output-stationary: the neighbours' rows of a chunk of outputs are laid side by side
 * and multiplied by the weights seen as [K·C_in, C_out]. Backward is input-stationary: the rows of
 * dz that an input's gradient comes from are gathered once, for dgrad (times the turned weights)
 * and for wgrad (the chunk of x, transposed, times them). Tiles, chunks and the slices that wgrad
 * sums over depend on the sites and shapes alone.
 */
final class CpuSparseConvolution extends SparseConvolutionOperators {
  private final WorkerPool pool;
  private final OnesConvolution ones;

  CpuSparseConvolution(WorkerPool pool) {
    this.pool = pool;
    ones = new OnesConvolution(pool);
  }

  /** The rows of dz that both read are gathered once. */
  @Override
  public boolean joinsGradients() {
    return true;
  }

  @Override
  protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    if (y.elements() == 0) {
      return;
    }
    if (fanIn == 0) {
      TileOutput.fillZero(y);
      return;
    }
    OffsetOrder places = new OffsetOrder(map.kernel());
    long sites = y.dim(0);
    try (TensorScope scope = y.device().root().child("convolution")) {
      Tensor ordered = orderedWeights(weight, places, scope);
      ChunkProduct product = new ChunkProduct(x, ordered, places, fanIn, fanOut, y);
      pool.run(
          tiles(sites),
          (worker, index) -> {
            Scratch scratch = pool.scratch(worker);
            NeighborTile tile = tile(map, index * NeighborTile.SITES, sites, scratch);
            for (int at = 0; at < tile.count(); ) {
              int end = tile.chunkEnd(at, product.chunkSites());
              product.gather(tile, at, end, scratch);
              product.multiply(tile, at, end, relu, scratch);
              at = end;
            }
          });
    }
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    long sites = x.dim(0);
    if (weight.elements() == 0 || sites == 0) {
      if (dx != null) {
        TileOutput.fillZero(dx);
      }
      return;
    }
    ConvolutionKernel kernel = map.kernel();
    OffsetOrder places = new OffsetOrder(kernel);
    NeighborMap readers = kernel.isSubmanifold() ? map : map.transposed();
    try (TensorScope scope = dz.device().root().child("convolution backward")) {
      Tensor turned = dx == null ? null : turnedWeights(weight, kernel, places, scope);
      ChunkProduct product = new ChunkProduct(dz, turned, places, fanOut, fanIn, dx);
      SlicedSum sum =
          dWeight == null ? null : new SlicedSum(sites, fanIn, places.count() * fanOut, scope);
      FeatureRows inputs = new FeatureRows(x);
      long slices = SlicedSum.slices(sites);
      pool.run(
          slices,
          (worker, slice) -> {
            Scratch scratch = pool.scratch(worker);
            long sliceEnd = SlicedSum.start(sites, slice + 1);
            if (sum != null) {
              sum.clear(slice);
            }
            for (long from = SlicedSum.start(sites, slice);
                from < sliceEnd;
                from += NeighborTile.SITES) {
              NeighborTile tile = tile(readers, from, sliceEnd, scratch);
              for (int at = 0; at < tile.count(); ) {
                int end = tile.chunkEnd(at, product.chunkSites());
                product.gather(tile, at, end, scratch);
                if (dx != null) {
                  product.multiply(tile, at, end, false, scratch);
                }
                if (sum != null) {
                  product.accumulate(tile, at, end, x, inputs, sum.partial(slice), scratch);
                }
                at = end;
              }
            }
          });
      if (dWeight != null) {
        addWeightGradient(sum.total(), kernel, places, fanIn, fanOut, dWeight);
      }
    }
  }

  private static long tiles(long sites) {
    return (sites + NeighborTile.SITES - 1) / NeighborTile.SITES;
  }

  private static NeighborTile tile(NeighborMap map, long from, long end, Scratch scratch) {
    return new NeighborTile(map, from, (int) Math.min(NeighborTile.SITES, end - from), scratch);
  }

  /** Weights with their offsets in the order of gathered rows: [(place, C_in), C_out]. */
  private static Tensor orderedWeights(Tensor weight, OffsetOrder places, TensorScope scope) {
    float[] plain = weight.toFloats();
    float[] ordered = new float[plain.length];
    int block = plain.length / places.count();
    for (int place = 0; place < places.count(); place++) {
      System.arraycopy(plain, places.offsetAt(place) * block, ordered, place * block, block);
    }
    Tensor result = ConvolutionWorkspace.orderedWeights(scope, weight);
    result.write(0, ordered, 0, ordered.length);
    return result;
  }

  /** Offset of the convolution that offset {@code k} of the opposite direction stands for. */
  private static int tap(ConvolutionKernel kernel, int k) {
    return kernel.isSubmanifold() ? kernel.mirrored(k) : k;
  }

  /** Weights as dgrad multiplies by them: [(place, C_out), C_in], in the opposite direction. */
  private static Tensor turnedWeights(
      Tensor weight, ConvolutionKernel kernel, OffsetOrder places, TensorScope scope) {
    int fanIn = (int) weight.dim(1);
    int fanOut = (int) weight.dim(2);
    float[] plain = weight.toFloats();
    float[] turned = new float[plain.length];
    for (int place = 0; place < places.count(); place++) {
      int k = tap(kernel, places.offsetAt(place));
      for (int i = 0; i < fanIn; i++) {
        for (int o = 0; o < fanOut; o++) {
          turned[(place * fanOut + o) * fanIn + i] = plain[(k * fanIn + i) * fanOut + o];
        }
      }
    }
    Tensor result = ConvolutionWorkspace.turnedWeights(scope, weight);
    result.write(0, turned, 0, turned.length);
    return result;
  }

  /** dWeight += total [C_in, (place, C_out)] of the opposite direction. */
  private static void addWeightGradient(
      float[] total,
      ConvolutionKernel kernel,
      OffsetOrder places,
      int fanIn,
      int fanOut,
      Tensor dWeight) {
    float[] sum = dWeight.toFloats();
    int depth = places.count() * fanOut;
    for (int place = 0; place < places.count(); place++) {
      int k = tap(kernel, places.offsetAt(place));
      for (int i = 0; i < fanIn; i++) {
        for (int o = 0; o < fanOut; o++) {
          sum[(k * fanIn + i) * fanOut + o] += total[i * depth + place * fanOut + o];
        }
      }
    }
    dWeight.write(0, sum, 0, sum.length);
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    if (y.elements() > 0) {
      ones.forward(kernel, masks, weight, relu, y);
    }
  }

  @Override
  protected void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    if (dz.elements() > 0) {
      ones.backward(kernel, masks, dz, dWeight);
    }
  }
}
