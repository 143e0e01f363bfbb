package autosparse.costmodel.memory;

import autosparse.autograd.SparseFunctions.Level;
import autosparse.autograd.SparseFunctions.Pool;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.ChainProgramme.Layer;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.DType;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Tensor;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.PatternPyramid;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes and time of each layer of a tower over a batch of patterns. Bytes are counted on the
 * planning device, layer by layer. Time is a roofline: the longer of multiply-adds and of bytes
 * moved at the machine's rates, of which only the ratio matters to a choice between strategies.
 */
final class TowerCost {
  /** Multiply-adds that a machine does in the time in which it moves one byte. */
  private static final double PRODUCTS_PER_BYTE = 10;

  /** The first layer's neighbours are only counted when they are looked for: half of its kernel. */
  private static final double SHARE_OF_ONES = 0.5;

  private TowerCost() {}

  static List<Layer> of(
      PlanningDevice device, SparseTower tower, List<? extends RowSource> patterns) {
    List<Layer> layers = new ArrayList<>();
    try (PatternPyramid pyramid =
        new PatternPyramid(device.root(), patterns.toArray(RowSource[]::new))) {
      tower.prepare(pyramid);
      for (int layer = 0; layer < tower.size(); layer++) {
        layers.add(of(device, tower, pyramid, layer));
      }
    }
    return layers;
  }

  private static Layer of(
      PlanningDevice device, SparseTower tower, PatternPyramid pyramid, int layer) {
    var allocator = device.allocator();
    try (Tape tape = Tape.recording(device.root(), 0)) {
      Variable x = layer == 0 ? null : Variable.constant(input(tape, tower, pyramid, layer));
      long before = allocator.liveBytes();
      allocator.resetPeak();
      Level out = tower.layer(tape, pyramid, layer, x, Pool.ALL);
      long activation = out.features().value().bytes();
      long forward = allocator.peakBytes() - before - activation;
      tape.gradient(out.features(), gradient -> {});
      allocator.resetPeak();
      tape.backward();
      long backward = allocator.peakBytes() - before - 2 * activation;
      return new Layer(activation, forward, backward, seconds(tower, pyramid, layer, activation));
    }
  }

  private static Tensor input(Tape tape, SparseTower tower, PatternPyramid pyramid, int layer) {
    long sites = pyramid.sites(tower.inputLevel(layer)).count();
    return tape.scope().activation("input", sites, tower.channels(layer - 1));
  }

  private static double seconds(
      SparseTower tower, PatternPyramid pyramid, int layer, long activation) {
    ConvolutionKernel kernel = tower.kernel(layer);
    long inputs = pyramid.sites(tower.inputLevel(layer)).count();
    double products;
    double bytes = activation + (double) inputs * DType.I32.bytes();
    if (layer == 0) {
      products = SHARE_OF_ONES * inputs * kernel.offsets() * tower.channels(0);
    } else {
      long pairs = pyramid.map(tower.inputLevel(layer), kernel).pairs();
      int fanIn = tower.channels(layer - 1);
      int fanOut = tower.channels(layer);
      products = (double) pairs * fanIn * fanOut;
      long outputs = pyramid.sites(tower.outputLevel(layer)).count();
      double element = outputs == 0 ? 0 : (double) activation / outputs / fanOut;
      bytes += element * inputs * fanIn + (double) pairs * DType.I32.bytes();
    }
    return Math.max(products / PRODUCTS_PER_BYTE, bytes);
  }
}
