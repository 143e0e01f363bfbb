package autosparse.layers;

import autosparse.engine.RandomStream;
import autosparse.engine.Shape;

/** Starting values of a parameter. */
@FunctionalInterface
public interface Initializer {
  /**
   * The next element's value; elements are asked for in row-major order.
   *
   * @param random the parameter's own stream
   * @param shape the parameter's
   */
  double next(RandomStream random, Shape shape);

  /** One value everywhere. */
  static Initializer constant(double value) {
    return (random, shape) -> value;
  }

  /** Normal, of mean 0. */
  static Initializer normal(double deviation) {
    return (random, shape) -> deviation * random.nextGaussian();
  }

  /**
   * Kaiming normal by fan-out for weights [K, C_in, C_out]: deviation √(2/(K·C_out)) (He et al.,
   * 2015).
   */
  static Initializer kaimingFanOut() {
    return (random, shape) ->
        Math.sqrt(2.0 / (shape.dim(0) * shape.dim(2))) * random.nextGaussian();
  }

  /** Uniform in ±1/√in for weights [out, in]: the usual start of linear layers. */
  static Initializer uniformFanIn() {
    return (random, shape) -> (2 * random.nextDouble() - 1) / Math.sqrt((double) shape.dim(-1));
  }
}
