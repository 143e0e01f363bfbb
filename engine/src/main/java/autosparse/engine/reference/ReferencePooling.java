package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.PoolingOperators;

/** Global average pooling and the gradient that enters a ReLU read by it. */
final class ReferencePooling extends PoolingOperators {
  @Override
  protected void applyGlobalAverage(Tensor x, Tensor offsets, Tensor y) {
    int channels = Math.toIntExact(x.dim(1));
    long[] bounds = offsets.toLongs();
    double[] xs = x.toDoubles();
    double[] ys = new double[Math.toIntExact(y.elements())];
    for (int b = 0; b < bounds.length - 1; b++) {
      for (int site = (int) bounds[b]; site < bounds[b + 1]; site++) {
        for (int c = 0; c < channels; c++) {
          ys[b * channels + c] += xs[site * channels + c] / (bounds[b + 1] - bounds[b]);
        }
      }
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applyReluAverageBackward(
      Tensor y, Tensor dNext, Tensor dPooled, Tensor offsets, Tensor dz) {
    int channels = Math.toIntExact(y.dim(1));
    long[] bounds = offsets.toLongs();
    double[] ys = y.toDoubles();
    double[] fromNext = dNext == null ? new double[ys.length] : dNext.toDoubles();
    double[] fromPool = dPooled.toDoubles();
    double[] gradients = fromNext.clone();
    for (int b = 0; b < bounds.length - 1; b++) {
      for (int site = (int) bounds[b]; site < bounds[b + 1]; site++) {
        for (int c = 0; c < channels; c++) {
          gradients[site * channels + c] +=
              fromPool[b * channels + c] / (bounds[b + 1] - bounds[b]);
        }
      }
    }
    for (int i = 0; i < ys.length; i++) {
      gradients[i] = ys[i] > 0 ? gradients[i] : 0;
    }
    dz.setDoubles(gradients);
  }
}
