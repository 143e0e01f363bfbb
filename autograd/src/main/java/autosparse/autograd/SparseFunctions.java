package autosparse.autograd;

import autosparse.engine.Tensor;
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
   * @param pooled [B, C_out], real: global average of the features of each matrix
   */
  public record Level(Variable features, Variable pooled) {}

  /**
   * The output sites that a layer's average is formed over: all, or those of one strip of rows,
   * whose other sites are there for their neighbours' sake only.
   *
   * @param offsets I64 [B+1]: of matrix b the sites offsets[b] to offsets[b+1]; null for all
   * @param averaged whether the average is formed; if not, its value is undefined and only its
   *     gradient is of use
   */
  public record Pool(Tensor offsets, boolean averaged) {
    /** Every site of every matrix of the batch. */
    public static final Pool ALL = new Pool(null, true);

    /** Some sites. */
    public static Pool of(Tensor offsets) {
      return new Pool(offsets, true);
    }

    /** Some sites whose average is known already: a layer that is computed again. */
    public static Pool ofKnown(Tensor offsets) {
      return new Pool(offsets, false);
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
   * @param pool the sites that the average is formed over
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
          } else {
            tape.accumulate(
                weight,
                dw ->
                    tape.gradient(
                        x, dx -> convolution.backward(x.value(), weight.value(), map, dz, dx, dw)));
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
   * @param pool the sites that the average is formed over
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
    Tensor y = features.value();
    Variable pooled =
        tape.output("pooled", tape.scope().device().real(), inputs, sites.batch(), y.dim(1));
    Tensor offsets = pool.offsets(sites);
    if (pool.averaged()) {
      tape.operators().pooling().globalAverage(y, offsets, pooled.value());
    }
    tape.record(
        name,
        List.of(features, pooled),
        List.of(),
        () -> {
          Tensor dNext = features.gradient();
          Tensor dPooled = pooled.gradient();
          if (dPooled == null) {
            dPooled = tape.scope().workspaceLike(pooled.value());
            tape.operators().elementwise().fill(dPooled, 0);
            pooled.gradient = dPooled;
          }
          Tensor dz = dNext == null ? tape.scope().workspaceLike(y) : dNext;
          tape.operators().pooling().reluAverageBackward(y, dNext, dPooled, offsets, dz);
          features.gradient = dz;
          backwardOfSum.accept(dz);
        });
    return new Level(features, pooled);
  }
}
