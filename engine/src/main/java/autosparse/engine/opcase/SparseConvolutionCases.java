package autosparse.engine.opcase;

import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Cases of sparse convolution. */
final class SparseConvolutionCases {
  private SparseConvolutionCases() {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    // The layers of the tower at C = 32, at the densities of block, band and graph patterns.
    addConvolutions(cases, new ConvolutionKernel(3, 1, 1), 32, 8, .4);
    addConvolutions(cases, new ConvolutionKernel(3, 1, 2), 8, 8, .02);
    addConvolutions(cases, new ConvolutionKernel(3, 1, 3), 8, 8, .8);
    addConvolutions(cases, new ConvolutionKernel(3, 2, 1), 8, 32, .3);
    addConvolutions(cases, new ConvolutionKernel(3, 2, 1), 32, 32, .02);
    addConvolutions(cases, new ConvolutionKernel(3, 1, 1), 128, 32, .2);
    addConvolutions(cases, new ConvolutionKernel(5, 1, 1), 1, 32, .3);
    // Each weight gradient on tensor cores that the layers above do not take.
    for (int[] channels : new int[][] {{32, 128}, {64, 64}, {64, 128}, {128, 128}}) {
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      cases.add(forward(kernel, channels[0], channels[1], true, .3));
      cases.add(backward(kernel, channels[0], channels[1], true, true, .3));
    }
    // Channel counts that fill no vector.
    addConvolutions(cases, new ConvolutionKernel(5, 2, 2), 3, 5, .5);
    addConvolutions(cases, new ConvolutionKernel(1, 1, 1), 7, 1, .5);

    for (double density : new double[] {.02, .6}) {
      cases.add(forwardOnes(new ConvolutionKernel(5, 1, 1), 32, true, density));
      cases.add(forwardOnes(new ConvolutionKernel(5, 1, 1), 32, false, density));
      cases.add(backwardOnes(new ConvolutionKernel(5, 1, 1), 32, density));
    }
    cases.add(forwardOnes(new ConvolutionKernel(3, 1, 2), 5, false, .3));
    cases.add(backwardOnes(new ConvolutionKernel(3, 1, 2), 5, .3));
    return cases.stream().map(OpCase::ofProducts).toList();
  }

  private static void addConvolutions(
      List<OpCase> cases, ConvolutionKernel kernel, int fanIn, int fanOut, double density) {
    cases.add(forward(kernel, fanIn, fanOut, true, density));
    cases.add(forward(kernel, fanIn, fanOut, false, density));
    cases.add(backward(kernel, fanIn, fanOut, true, true, density));
    cases.add(backward(kernel, fanIn, fanOut, true, false, density));
    cases.add(backward(kernel, fanIn, fanOut, false, true, density));
  }

  /** The tensors of one convolution layer. */
  private record Layer(Tensor x, Tensor weight, NeighborMap map, Random random) {
    static Layer make(
        TensorScope scope,
        ConvolutionKernel kernel,
        int fanIn,
        int fanOut,
        double density,
        long size,
        Draw draw) {
      Random random = new Random(draw.seed());
      Sites inputs = SparseSamples.sites(scope, size, density, random);
      Sites outputs =
          kernel.isSubmanifold()
              ? inputs
              : SparsePatternCases.downsampled(inputs, kernel.stride(), scope);
      return new Layer(
          SparseSamples.features(scope, draw, "x", random, inputs.count(), fanIn),
          SparseSamples.weights(scope, draw, "weight", random, kernel.offsets(), fanIn, fanOut),
          SparsePatternCases.map(inputs, outputs, kernel, scope),
          random);
    }

    long sites() {
      return map.outputSites().count();
    }

    /** Multiplications and additions of one direction. */
    double flops() {
      return 2.0 * map.pairs() * weight.dim(1) * weight.dim(2);
    }

    /** Bytes of features, weights and map that one direction reads and writes once. */
    double bytes() {
      return x.bytes()
          + (double) x.dtype().bytes() * sites() * weight.dim(2)
          + weight.bytes()
          + 4.0 * map.pairs()
          + 12.0 * sites();
    }
  }

  private static OpCase forward(
      ConvolutionKernel kernel, int fanIn, int fanOut, boolean relu, double density) {
    String name =
        "convolution %s %d->%d%s density %s"
            .formatted(kernel, fanIn, fanOut, relu ? " relu" : "", density);
    return SparseSamples.sparse(
        name,
        "sparse convolution",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Layer layer = Layer.make(scope, kernel, fanIn, fanOut, density, size, draw);
          Tensor x = layer.x();
          Tensor weight = layer.weight();
          Tensor y = scope.activation("y", layer.sites(), fanOut);
          Operators operators = scope.device().operators();
          // A rectified output has kinks, near which a difference quotient means nothing.
          Invocation.Gradient gradient =
              relu
                  ? null
                  : (inner, dOutputs) -> {
                    Tensor dz = SparseSamples.given(inner, dOutputs.get(0), y);
                    Tensor dx = SparseSamples.zeros(inner, "dx", x);
                    Tensor dWeight = SparseSamples.zeros(inner, "dWeight", weight);
                    operators.convolution().backward(x, weight, layer.map(), dz, dx, dWeight);
                    return List.of(dx, dWeight);
                  };
          return new Invocation(
              List.of(x, weight),
              List.of(y),
              () -> operators.convolution().forward(x, weight, layer.map(), relu, y),
              gradient,
              layer.bytes(),
              layer.flops());
        });
  }

  private static OpCase backward(
      ConvolutionKernel kernel,
      int fanIn,
      int fanOut,
      boolean wantsInput,
      boolean wantsWeight,
      double density) {
    String which = wantsInput && wantsWeight ? "" : wantsInput ? " dx only" : " dWeight only";
    String name =
        "convolution backward %s %d->%d%s density %s"
            .formatted(kernel, fanIn, fanOut, which, density);
    return SparseSamples.sparse(
        name,
        "sparse convolution",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Layer layer = Layer.make(scope, kernel, fanIn, fanOut, density, size, draw);
          Tensor dz =
              SparseSamples.features(scope, draw, "dz", layer.random(), layer.sites(), fanOut);
          List<Tensor> outputs = new ArrayList<>();
          Tensor dx =
              wantsInput
                  ? SparseSamples.features(scope, draw, "dx", layer.random(), size, fanIn)
                  : null;
          Tensor dWeight =
              wantsWeight
                  ? SparseSamples.values(
                      scope, "dWeight", layer.random(), kernel.offsets(), fanIn, fanOut)
                  : null;
          if (wantsInput) {
            outputs.add(dx);
          }
          if (wantsWeight) {
            outputs.add(dWeight);
          }
          Operators operators = scope.device().operators();
          return new Invocation(
              List.of(layer.x(), layer.weight(), dz),
              outputs,
              () ->
                  operators
                      .convolution()
                      .backward(layer.x(), layer.weight(), layer.map(), dz, dx, dWeight),
              null,
              layer.bytes() * outputs.size(),
              layer.flops() * outputs.size());
        });
  }

  private static OpCase forwardOnes(
      ConvolutionKernel kernel, int fanOut, boolean relu, double density) {
    String name =
        "convolution of ones %s 1->%d%s density %s"
            .formatted(kernel, fanOut, relu ? " relu" : "", density);
    return SparseSamples.sparse(
        name,
        "sparse convolution",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Random random = new Random(draw.seed());
          Operators operators = scope.device().operators();
          Tensor masks =
              operators
                  .pattern()
                  .neighborhoodMasks(
                      SparseSamples.sites(scope, size, density, random), kernel, scope);
          Tensor weight =
              SparseSamples.weights(scope, draw, "weight", random, kernel.offsets(), 1, fanOut);
          Tensor y = scope.activation("y", size, fanOut);
          Invocation.Gradient gradient =
              relu
                  ? null
                  : (inner, dOutputs) -> {
                    Tensor dz = SparseSamples.given(inner, dOutputs.get(0), y);
                    Tensor dWeight = SparseSamples.zeros(inner, "dWeight", weight);
                    operators.convolution().backwardOnes(kernel, masks, dz, dWeight);
                    return Arrays.asList(null, dWeight);
                  };
          return new Invocation(
              List.of(masks, weight),
              List.of(y),
              () -> operators.convolution().forwardOnes(kernel, masks, weight, relu, y),
              gradient,
              masks.bytes() + weight.bytes() + y.bytes(),
              2.0 * setBits(masks) * fanOut);
        });
  }

  private static OpCase backwardOnes(ConvolutionKernel kernel, int fanOut, double density) {
    return SparseSamples.sparse(
        "convolution of ones backward %s 1->%d density %s".formatted(kernel, fanOut, density),
        "sparse convolution",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Random random = new Random(draw.seed());
          Operators operators = scope.device().operators();
          Tensor masks =
              operators
                  .pattern()
                  .neighborhoodMasks(
                      SparseSamples.sites(scope, size, density, random), kernel, scope);
          Tensor dz = SparseSamples.features(scope, draw, "dz", random, size, fanOut);
          Tensor dWeight =
              SparseSamples.values(scope, "dWeight", random, kernel.offsets(), 1, fanOut);
          return new Invocation(
              List.of(masks, dz),
              List.of(dWeight),
              () -> operators.convolution().backwardOnes(kernel, masks, dz, dWeight),
              null,
              masks.bytes() + dz.bytes() + dWeight.bytes(),
              2.0 * setBits(masks) * fanOut);
        });
  }

  private static long setBits(Tensor masks) {
    return Arrays.stream(masks.toInts()).mapToLong(Integer::bitCount).sum();
  }
}
