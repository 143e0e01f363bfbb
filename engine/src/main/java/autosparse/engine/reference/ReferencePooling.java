package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.PoolingOperators;

/** Global pooling and the gradient that enters a ReLU read by it. */
final class ReferencePooling extends PoolingOperators {
  @Override
  protected void applyPool(Tensor x, Tensor offsets, boolean averaged, Tensor y) {
    int channels = Math.toIntExact(x.dim(1));
    long[] bounds = offsets.toLongs();
    double[] xs = x.toDoubles();
    double[] ys = averaged ? new double[Math.toIntExact(y.elements())] : y.toDoubles();
    for (int b = 0; b < bounds.length - 1; b++) {
      double sites = averaged ? bounds[b + 1] - bounds[b] : 1;
      for (int site = (int) bounds[b]; site < bounds[b + 1]; site++) {
        for (int c = 0; c < channels; c++) {
          ys[b * channels + c] += xs[site * channels + c] / sites;
        }
      }
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applyReluPoolBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, boolean averaged, Tensor dz) {
    int channels = Math.toIntExact(y.dim(1));
    long[] bounds = offsets.toLongs();
    double[] ys = y.toDoubles();
    double[] fromNext = dNext == null ? new double[ys.length] : dNext.toDoubles();
    double[] fromPool = dPooled.toDoubles();
    double[] gradients = fromNext.clone();
    for (int b = 0; b < bounds.length - 1; b++) {
      double sites = averaged ? bounds[b + 1] - bounds[b] : 1;
      for (int site = (int) bounds[b]; site < bounds[b + 1]; site++) {
        for (int c = 0; c < channels; c++) {
          gradients[site * channels + c] += fromPool[b * channels + c] / sites;
        }
      }
    }
    for (int i = 0; i < ys.length; i++) {
      gradients[i] = ys[i] > 0 ? gradients[i] : 0;
    }
    dz.setDoubles(gradients);
  }
}
