package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.ReductionOperators;
import autosparse.engine.operators.Segments;

/** Sums in ascending order. */
final class ReferenceReduction extends ReductionOperators {
  @Override
  protected void applyColumnSum(Tensor x, boolean accumulate, Tensor y) {
    int columns = (int) x.dim(1);
    double[] xs = x.toDoubles();
    double[] ys = accumulate ? y.toDoubles() : new double[columns];
    for (int i = 0; i < xs.length; i++) {
      ys[i % columns] += xs[i];
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applySegmentSum(Tensor x, Tensor offsets, Tensor y) {
    int columns = (int) x.dim(1);
    double[] xs = x.toDoubles();
    double[] ys = new double[(int) y.elements()];
    long[] starts = Segments.read("segmentSum", offsets, x.dim(0));
    for (int s = 0; s < y.dim(0); s++) {
      for (int t = (int) starts[s]; t < starts[s + 1]; t++) {
        for (int c = 0; c < columns; c++) {
          ys[s * columns + c] += xs[t * columns + c];
        }
      }
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applySegmentBroadcast(Tensor y, Tensor offsets, Tensor x) {
    int columns = (int) x.dim(1);
    double[] ys = y.toDoubles();
    double[] xs = new double[(int) x.elements()];
    long[] starts = Segments.read("segmentBroadcast", offsets, x.dim(0));
    for (int s = 0; s < y.dim(0); s++) {
      for (int t = (int) starts[s]; t < starts[s + 1]; t++) {
        for (int c = 0; c < columns; c++) {
          xs[t * columns + c] = ys[s * columns + c];
        }
      }
    }
    x.setDoubles(xs);
  }

  @Override
  protected void applySum(Tensor x, Tensor y) {
    double sum = 0;
    for (double value : x.toDoubles()) {
      sum += value;
    }
    y.setDoubles(new double[] {sum});
  }
}
