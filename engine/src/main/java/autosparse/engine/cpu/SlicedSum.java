package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import org.bytedeco.javacpp.FloatPointer;

/**
 * A matrix summed over sites: one partial matrix for each of a fixed number of slices, added in
 * their order, so that the result does not depend on the number of threads.
 */
final class SlicedSum {
  private static final int MOST_SLICES = 64;
  private static final int FEWEST_SITES = 2048;

  private final Tensor partials;
  private final int elements;

  SlicedSum(long sites, int rows, int columns, TensorScope scope) {
    elements = Math.multiplyExact(rows, columns);
    partials = ConvolutionWorkspace.partials(scope, sites, rows, columns);
  }

  static long slices(long sites) {
    return Math.min(MOST_SLICES, (sites + FEWEST_SITES - 1) / FEWEST_SITES);
  }

  /** First site of a slice. */
  static long start(long sites, long slice) {
    return sites / slices(sites) * slice + Math.min(slice, sites % slices(sites));
  }

  void clear(long slice) {
    float[] zeros = new float[elements];
    partials.write(slice * elements, zeros, 0, elements);
  }

  FloatPointer partial(long slice) {
    return partials.floatPointer(slice * elements);
  }

  float[] total() {
    float[] total = new float[elements];
    float[] partial = new float[elements];
    for (long slice = 0; slice < partials.dim(0); slice++) {
      partials.read(slice * elements, partial, 0, elements);
      for (int i = 0; i < elements; i++) {
        total[i] += partial[i];
      }
    }
    return total;
  }
}
