package autosparse.costmodel.network;

import autosparse.autograd.SparseFunctions.Level;
import autosparse.autograd.SparseFunctions.Pool;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.TensorScope;
import autosparse.engine.operators.SparseConvolutionOperators.HeldWeight;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.layers.HdcBlock;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.layers.SparseConv2d;
import java.util.ArrayList;
import java.util.List;

/**
 * A chain of sparse convolutions over a pattern, input 1 at every nonzero; its result is the global
 * averages of its layers' outputs.
 */
public final class SparseTower {
  private static final ConvolutionKernel FIRST = new ConvolutionKernel(5, 1, 1);
  private static final ConvolutionKernel STRIDED = new ConvolutionKernel(3, 2, 1);
  private static final int WACO_STRIDED_LAYERS = 13;

  private final List<SparseConv2d> layers;
  private final List<Integer> channels;

  private SparseTower(List<SparseConv2d> layers, List<Integer> channels) {
    this.layers = layers;
    this.channels = channels;
  }

  /** Collects layers with their output channels. */
  private static final class Builder {
    private final Parameters.Namespace names;
    private final List<SparseConv2d> layers = new ArrayList<>();
    private final List<Integer> channels = new ArrayList<>();

    Builder(Parameters.Namespace names, int first) {
      this.names = names;
      layers.add(SparseConv2d.ofOnes(next(), FIRST, first));
      channels.add(first);
    }

    private Parameters.Namespace next() {
      return names.in(String.valueOf(layers.size() + 1));
    }

    private int width() {
      return channels.get(channels.size() - 1);
    }

    Builder hdc(int out) {
      HdcBlock block = new HdcBlock(next(), width(), out);
      for (SparseConv2d layer : block.layers()) {
        layers.add(layer);
        channels.add(out);
      }
      return this;
    }

    Builder strided(int count, int out) {
      for (int i = 0; i < count; i++) {
        layers.add(new SparseConv2d(next(), STRIDED, width(), out));
        channels.add(out);
      }
      return this;
    }

    SparseTower build() {
      return new SparseTower(List.copyOf(layers), List.copyOf(channels));
    }
  }

  /**
   * AutoSparseNet's 13 layers, C channels outside and C/4 inside the HDC blocks: 5×5, HDC, three
   * strided, HDC, three strided.
   */
  public static SparseTower autoSparse(Parameters.Namespace names, int channels) {
    return new Builder(names, channels)
        .hdc(channels / 4)
        .strided(3, channels)
        .hdc(channels / 4)
        .strided(3, channels)
        .build();
  }

  /** WACO's 14 layers: 5×5, then thirteen strided. */
  public static SparseTower waco(Parameters.Namespace names, int channels) {
    return new Builder(names, channels).strided(WACO_STRIDED_LAYERS, channels).build();
  }

  /** Sum of all layers' output channels. */
  public int pooledChannels() {
    return channels.stream().mapToInt(Integer::intValue).sum();
  }

  /** Output channels of the last layer. */
  public int lastChannels() {
    return channels.get(channels.size() - 1);
  }

  /**
   * Multiply-adds of one forward pass over the neighbours that exist, first layer included.
   *
   * @return Σ over layers of pairs·C_in·C_out
   */
  public double multiplyAdds(PatternPyramid pyramid) {
    // The first layer's neighbours are counted in its masks: it never makes a map.
    double total = firstLayerMultiplyAdds(pyramid);
    int level = 0;
    int in = channels.get(0);
    for (int l = 1; l < layers.size(); l++) {
      ConvolutionKernel kernel = layers.get(l).kernel();
      total += (double) pyramid.map(level, kernel).pairs() * in * channels.get(l);
      in = channels.get(l);
      level += kernel.isSubmanifold() ? 0 : 1;
    }
    return total;
  }

  /**
   * Multiply-adds of the first layer alone, part of {@link #multiplyAdds}: its input has no
   * gradient.
   */
  public double firstLayerMultiplyAdds(PatternPyramid pyramid) {
    return (double) pairs(pyramid.masks(FIRST).toInts()) * channels.get(0);
  }

  /**
   * Features that the layers behind the first read and write in one forward pass, each layer's
   * input and output counted once.
   *
   * @return Σ over these layers of N_in·C_in + N_out·C_out
   */
  public double featuresMoved(PatternPyramid pyramid) {
    double total = 0;
    int level = 0;
    int in = channels.get(0);
    for (int l = 1; l < layers.size(); l++) {
      NeighborMap map = pyramid.map(level, layers.get(l).kernel());
      total += (double) map.inputSites().count() * in;
      total += (double) map.outputSites().count() * channels.get(l);
      in = channels.get(l);
      level += map.kernel().isSubmanifold() ? 0 : 1;
    }
    return total;
  }

  private static long pairs(int[] masks) {
    long pairs = 0;
    for (int mask : masks) {
      pairs += Integer.bitCount(mask);
    }
    return pairs;
  }

  /** Number of layers. */
  public int size() {
    return layers.size();
  }

  /** Output channels of a layer. */
  public int channels(int layer) {
    return channels.get(layer);
  }

  /** The pyramid's level that a layer's input lives on. */
  public int inputLevel(int layer) {
    int level = 0;
    for (int l = 0; l < layer; l++) {
      level += layers.get(l).kernel().isSubmanifold() ? 0 : 1;
    }
    return level;
  }

  /** The pyramid's level that a layer's output lives on. */
  public int outputLevel(int layer) {
    return inputLevel(layer + 1);
  }

  /** Extent, stride and dilation of a layer. */
  public ConvolutionKernel kernel(int layer) {
    return layers.get(layer).kernel();
  }

  /** Original rows per lattice row of a layer's output. */
  public long stride(int layer) {
    long stride = 1;
    for (int l = 0; l <= layer; l++) {
      stride *= kernel(l).stride();
    }
    return stride;
  }

  /**
   * Rows of the pattern, on each side of a range of rows, that the outputs of the range depend on,
   * through all layers: Σ of each kernel's reach times the stride of its input.
   */
  public long haloRows() {
    long rows = 0;
    long stride = 1;
    for (SparseConv2d layer : layers) {
      ConvolutionKernel kernel = layer.kernel();
      rows += (long) (kernel.size() / 2) * kernel.dilation() * stride;
      stride *= kernel.stride();
    }
    return rows;
  }

  /** Makes all levels and maps that the layers read, so that they lie together. */
  public void prepare(PatternPyramid pyramid) {
    for (int layer = 0; layer < layers.size(); layer++) {
      layers.get(layer).prepare(pyramid, inputLevel(layer));
    }
  }

  /** Makes all levels that the layers read, and none of their maps. */
  public void prepareLevels(PatternPyramid pyramid) {
    for (int layer = 0; layer < layers.size(); layer++) {
      if (!kernel(layer).isSubmanifold()) {
        pyramid.coarser(inputLevel(layer), kernel(layer).stride());
      }
    }
  }

  /** Frees a layer's map unless another layer reads it too. */
  public void releaseMap(PatternPyramid pyramid, int layer) {
    for (int other = 0; other < layers.size(); other++) {
      if (other != layer
          && inputLevel(other) == inputLevel(layer)
          && kernel(other).equals(kernel(layer))) {
        return;
      }
    }
    pyramid.release(inputLevel(layer), kernel(layer));
  }

  /**
   * Has what the layers' products read of the weights made once, until the result is closed; the
   * weights must not change meanwhile.
   *
   * @param scope that it is kept in; to be closed after the result
   * @param backward whether the layers will be run backward too
   */
  public HeldWeight holdWeights(TensorScope scope, boolean backward) {
    List<HeldWeight> held = new ArrayList<>();
    HeldWeight all = () -> held.forEach(HeldWeight::close);
    try {
      layers.forEach(layer -> held.add(layer.hold(scope, backward)));
    } catch (RuntimeException e) {
      all.close();
      throw e;
    }
    return all;
  }

  /**
   * One layer.
   *
   * @param x output of the layer before; null for the first
   * @param pool sites of the output that its average is formed over
   */
  public Level layer(Tape tape, PatternPyramid pyramid, int layer, Variable x, Pool pool) {
    return tape.within(
        "layer " + (layer + 1),
        () -> layers.get(layer).forward(tape, pyramid, inputLevel(layer), x, pool));
  }

  /**
   * Frees the first layer's output, which reads nothing but masks, when the second layer has read
   * it; the backward pass computes it again.
   */
  public void computeFirstAgain(Tape tape, PatternPyramid pyramid, Variable output) {
    tape.within(
        "layer 1",
        () -> {
          tape.computeAgain(output, features -> layers.get(0).compute(pyramid, features));
          return null;
        });
  }

  /** The pooled output [B, C_l] of each layer, first to last. */
  public List<Variable> forward(Tape tape, PatternPyramid pyramid) {
    List<Variable> pooled = new ArrayList<>();
    Variable x = null;
    for (int layer = 0; layer < layers.size(); layer++) {
      Level out = layer(tape, pyramid, layer, x, Pool.ALL);
      if (x != null) {
        tape.discard(x);
      }
      pooled.add(out.pooled());
      x = out.features();
    }
    tape.discard(x);
    return pooled;
  }
}
