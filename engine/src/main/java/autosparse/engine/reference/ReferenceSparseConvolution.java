package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;

/** Sparse convolution straight from its definition. */
final class ReferenceSparseConvolution extends SparseConvolutionOperators {
  /** What is done with one (output, offset, input) of a map. */
  @FunctionalInterface
  private interface Pair {
    void accept(int output, int k, int input);
  }

  private static void forEachPair(NeighborMap map, Pair action) {
    long[] pointers = map.pointers().toLongs();
    int[] masks = map.masks().toInts();
    int[] inputs = map.inputs().toInts();
    for (int output = 0; output < masks.length; output++) {
      int at = Math.toIntExact(pointers[output]);
      for (int k = 0; k < map.kernel().offsets(); k++) {
        if ((masks[output] >>> k & 1) != 0) {
          action.accept(output, k, inputs[at++]);
        }
      }
    }
  }

  @Override
  protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    double[] xs = x.toDoubles();
    double[] ws = weight.toDoubles();
    double[] ys = new double[Math.toIntExact(y.elements())];
    forEachPair(
        map,
        (output, k, input) -> {
          for (int i = 0; i < fanIn; i++) {
            for (int o = 0; o < fanOut; o++) {
              ys[output * fanOut + o] += xs[input * fanIn + i] * ws[(k * fanIn + i) * fanOut + o];
            }
          }
        });
    y.setDoubles(relu ? positivePart(ys) : ys);
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    double[] xs = x.toDoubles();
    double[] ws = weight.toDoubles();
    double[] dzs = dz.toDoubles();
    double[] dxs = new double[xs.length];
    double[] dws = dWeight == null ? new double[ws.length] : dWeight.toDoubles();
    forEachPair(
        map,
        (output, k, input) -> {
          for (int i = 0; i < fanIn; i++) {
            for (int o = 0; o < fanOut; o++) {
              double d = dzs[output * fanOut + o];
              dxs[input * fanIn + i] += d * ws[(k * fanIn + i) * fanOut + o];
              dws[(k * fanIn + i) * fanOut + o] += d * xs[input * fanIn + i];
            }
          }
        });
    if (dx != null) {
      dx.setDoubles(dxs);
    }
    if (dWeight != null) {
      dWeight.setDoubles(dws);
    }
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    int fanOut = Math.toIntExact(weight.dim(2));
    int[] ms = masks.toInts();
    double[] ws = weight.toDoubles();
    double[] ys = new double[Math.toIntExact(y.elements())];
    for (int site = 0; site < ms.length; site++) {
      for (int k = 0; k < kernel.offsets(); k++) {
        for (int o = 0; o < fanOut; o++) {
          ys[site * fanOut + o] += (ms[site] >>> k & 1) * ws[k * fanOut + o];
        }
      }
    }
    y.setDoubles(relu ? positivePart(ys) : ys);
  }

  @Override
  protected void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    int fanOut = Math.toIntExact(dWeight.dim(2));
    int[] ms = masks.toInts();
    double[] dzs = dz.toDoubles();
    double[] dws = dWeight.toDoubles();
    for (int site = 0; site < ms.length; site++) {
      for (int k = 0; k < kernel.offsets(); k++) {
        for (int o = 0; o < fanOut; o++) {
          dws[k * fanOut + o] += (ms[site] >>> k & 1) * dzs[site * fanOut + o];
        }
      }
    }
    dWeight.setDoubles(dws);
  }

  private static double[] positivePart(double[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = Math.max(0, values[i]);
    }
    return result;
  }
}
