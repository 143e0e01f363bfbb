package autosparse.autograd;

import autosparse.engine.Tensor;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.List;

/** Differentiable functions over sparse sites. */
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
   * ReLU(convolution(x)) and its global average.
   *
   * @param x [N_in, C_in]
   * @param weight [K, C_in, C_out]
   */
  public static Level convolution(Tape tape, Variable x, Variable weight, NeighborMap map) {
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

  /**
   * The first layer: one input channel that is 1 at every site.
   *
   * @param masks I32 [N], neighbourhood masks of the sites
   * @param weight [K, 1, C_out]
   */
  public static Level convolutionOfOnes(
      Tape tape, Sites sites, ConvolutionKernel kernel, Tensor masks, Variable weight) {
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
        dz -> tape.accumulate(weight, dw -> convolution.backwardOnes(kernel, masks, dz, dw)));
  }

  /** Pools a layer's features and records the layer: one node, two outputs. */
  private static Level pooled(
      Tape tape,
      String name,
      List<Variable> inputs,
      Variable features,
      Sites sites,
      java.util.function.Consumer<Tensor> backwardOfSum) {
    Variable pooled =
        tape.output(
            "pooled", tape.scope().device().real(), inputs, sites.batch(), features.value().dim(1));
    var pooling = tape.operators().pooling();
    Tensor offsets = sites.siteOffsets();
    pooling.globalAverage(features.value(), offsets, pooled.value());
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
          Tensor dz = dNext == null ? tape.scope().workspaceLike(features.value()) : dNext;
          pooling.reluAverageBackward(features.value(), dNext, dPooled, offsets, dz);
          features.gradient = dz;
          backwardOfSum.accept(dz);
        });
    return new Level(features, pooled);
  }
}
