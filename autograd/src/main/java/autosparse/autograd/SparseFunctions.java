package autosparse.autograd;

import autosparse.engine.Tensor;
import autosparse.engine.operators.PoolingOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.List;

/**
 * Differentiable functions over sparse sites. Weights are real; features have one type, that of
 * activations or the real one. Arguments whose shapes or types do not fit are an {@link
 * IllegalArgumentException}.
 */
public final class SparseFunctions {
  private SparseFunctions() {}

  /**
   * What one convolution layer of a tower gives.
   *
   * @param features [N_out, C_out], after ReLU, of the device's type of activations from the first
   *     layer on
   * @param pooled [B, C_out], real: global average of the features of each matrix, or the sum that
   *     they are part of
   */
  public record Level(Variable features, Variable pooled) {}

  /**
   * How a layer's output is pooled: averaged over all sites; or summed over those of one strip of
   * rows, whose other sites are there for their neighbours' sake only.
   *
   * @param offsets I64 [B+1]: of matrix b the sites offsets[b] to offsets[b+1]; null for all
   * @param sum [B, C_out]: what the sum over these sites is part of, in place of an average; null
   *     for an average
   * @param added whether the sum is added to it, which is F64 then; if not, as for a layer that is
   *     computed again, only its gradient is read, which is real
   */
  public record Pool(Tensor offsets, Variable sum, boolean added) {
    /** The average over every site of every matrix of the batch. */
    public static final Pool ALL = new Pool(null, null, false);

    /** A sum over some sites, which is added to others. */
    public static Pool addedTo(Tensor sum, Tensor offsets) {
      return new Pool(offsets, Variable.constant(sum), true);
    }

    /**
     * As {@link #addedTo}, of a sum that has them already.
     *
     * @param sum whose gradient is by the sum; its value is not read
     */
    public static Pool partOf(Variable sum, Tensor offsets) {
      return new Pool(offsets, sum, false);
    }

    private Tensor offsets(Sites sites) {
      return offsets == null ? sites.siteOffsets() : offsets;
    }
  }

  /** As {@link #convolution(Tape, Variable, Variable, NeighborMap, Pool)} over all sites. */
  public static Level convolution(Tape tape, Variable x, Variable weight, NeighborMap map) {
    return convolution(tape, x, weight, map, Pool.ALL);
  }

  /**
   * ReLU(convolution(x)) and its average.
   *
   * @param x [N_in, C_in]
   * @param weight [K, C_in, C_out]
   * @param map from the sites of x to the sites of the output
   * @param pool how the output is pooled, and over which sites
   */
  public static Level convolution(
      Tape tape, Variable x, Variable weight, NeighborMap map, Pool pool) {
    Sites sites = map.outputSites();
    List<Variable> inputs = List.of(x, weight);
    Variable features = tape.output("convolution", inputs, sites.count(), weight.value().dim(2));
    var convolution = tape.operators().convolution();
    convolution.forward(x.value(), weight.value(), map, true, features.value());
    return pooled(
        tape,
        "convolution " + map.kernel(),
        inputs,
        features,
        sites,
        pool,
        dz -> {
          if (!weight.isDifferentiable()) {
            tape.gradient(
                x, dx -> convolution.backward(x.value(), weight.value(), map, dz, dx, null));
          } else if (!x.isDifferentiable()) {
            tape.accumulate(
                weight, dw -> convolution.backward(x.value(), weight.value(), map, dz, null, dw));
          } else if (convolution.joinsGradients()) {
            tape.accumulate(
                weight,
                dw ->
                    tape.gradient(
                        x, dx -> convolution.backward(x.value(), weight.value(), map, dz, dx, dw)));
          } else {
            tape.accumulate(
                weight, dw -> convolution.backward(x.value(), weight.value(), map, dz, null, dw));
            tape.gradient(
                x, dx -> convolution.backward(x.value(), weight.value(), map, dz, dx, null));
          }
        });
  }

  /** As the full form, averaged over all sites. */
  public static Level convolutionOfOnes(
      Tape tape, Sites sites, ConvolutionKernel kernel, Tensor masks, Variable weight) {
    return convolutionOfOnes(tape, sites, kernel, masks, weight, Pool.ALL);
  }

  /**
   * The first layer: one input channel that is 1 at every site.
   *
   * @param kernel a submanifold one
   * @param masks I32 [N], neighbourhood masks of the sites
   * @param weight [K, 1, C_out]
   * @param pool how the output is pooled, and over which sites
   */
  public static Level convolutionOfOnes(
      Tape tape, Sites sites, ConvolutionKernel kernel, Tensor masks, Variable weight, Pool pool) {
    List<Variable> inputs = List.of(weight);
    Variable features =
        tape.output(
            "convolution of ones",
            tape.scope().device().activation(),
            inputs,
            sites.count(),
            weight.value().dim(2));
    var convolution = tape.operators().convolution();
    convolution.forwardOnes(kernel, masks, weight.value(), true, features.value());
    return pooled(
        tape,
        "convolution of ones " + kernel,
        inputs,
        features,
        sites,
        pool,
        dz -> tape.accumulate(weight, dw -> convolution.backwardOnes(kernel, masks, dz, dw)));
  }

  /** Pools a layer's features and records the layer: one node, two outputs. */
  private static Level pooled(
      Tape tape,
      String name,
      List<Variable> inputs,
      Variable features,
      Sites sites,
      Pool pool,
      java.util.function.Consumer<Tensor> backwardOfSum) {
    PoolingOperators pooling = tape.operators().pooling();
    Tensor offsets = pool.offsets(sites);
    boolean averaged = pool.sum() == null;
    long channels = features.value().dim(1);
    Variable pooled =
        averaged
            ? tape.output("pooled", tape.scope().device().real(), inputs, sites.batch(), channels)
            : pool.sum();
    if (averaged) {
      pooling.globalAverage(features.value(), offsets, pooled.value());
    } else if (pool.added()) {
      pooling.addSum(features.value(), offsets, pooled.value());
    }
    tape.record(
        name,
        List.of(features, pooled),
        List.of(),
        () -> {
          Tensor y = features.value(); // of now: it may have been computed again
          Tensor dNext = features.gradient();
          Tensor dPooled = pooled.gradient();
          if (dPooled == null) {
            dPooled = tape.scope().workspaceLike(pooled.value());
            tape.operators().elementwise().fill(dPooled, 0);
            pooled.gradient = dPooled;
          }
          Tensor dz = dNext == null ? tape.scope().workspaceLike(y) : tape.higher(dNext);
          if (averaged) {
            pooling.reluAverageBackward(y, dNext, dPooled, offsets, dz);
          } else {
            pooling.reluSumBackward(y, dNext, dPooled, offsets, dz);
          }
          features.gradient = dz;
          if (dz != dNext) {
            tape.release(dNext);
          }
          tape.release(y); // read for the last time, and as large as what is made next
          backwardOfSum.accept(dz);
        });
    return new Level(features, pooled);
  }
}
