package autosparse.engine.opcase;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Cases of the operators that make sites, masks and maps. */
final class SparsePatternCases {
  private SparsePatternCases() {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    for (double density : new double[] {.02, .4, 1}) {
      cases.add(downsample(2, density));
      cases.add(masks(new ConvolutionKernel(5, 1, 1), density));
      cases.add(neighbors(new ConvolutionKernel(3, 1, 1), density));
      cases.add(neighbors(new ConvolutionKernel(3, 2, 1), density));
    }
    cases.add(downsample(3, .2));
    cases.add(masks(new ConvolutionKernel(3, 1, 3), .2));
    cases.add(neighbors(new ConvolutionKernel(1, 1, 1), .2));
    cases.add(neighbors(new ConvolutionKernel(3, 1, 3), .2));
    cases.add(neighbors(new ConvolutionKernel(5, 1, 2), .2));
    cases.add(neighbors(new ConvolutionKernel(5, 3, 2), .2));
    return cases;
  }

  private static OpCase downsample(int stride, double density) {
    return SparseSamples.sparse(
        "downsample stride " + stride + " density " + density,
        "sparse pattern",
        Tolerance.EXACT,
        (scope, size, draw) -> {
          Sites sites = SparseSamples.sites(scope, size, density, new Random(draw.seed()));
          Tensor[] outputs;
          try (TensorScope first = scope.child("sizes")) {
            outputs = alike(scope, tensors(downsampled(sites, stride, first)));
          }
          return pattern(
              scope, sites, outputs, inner -> tensors(downsampled(sites, stride, inner)));
        });
  }

  static Sites downsampled(Sites sites, int stride, TensorScope scope) {
    return scope.device().operators().pattern().downsample(sites, stride, scope);
  }

  private static Tensor[] tensors(Sites sites) {
    return new Tensor[] {sites.rowPointers(), sites.columns(), sites.siteOffsets()};
  }

  private static OpCase masks(ConvolutionKernel kernel, double density) {
    return SparseSamples.sparse(
        "neighborhood masks " + kernel + " density " + density,
        "sparse pattern",
        Tolerance.EXACT,
        (scope, size, draw) -> {
          Sites sites = SparseSamples.sites(scope, size, density, new Random(draw.seed()));
          Tensor[] outputs = {
            scope.create("masks", DType.I32, MemoryTag.KERNEL_MAP, sites.count())
          };
          return pattern(
              scope,
              sites,
              outputs,
              inner ->
                  new Tensor[] {
                    inner.device().operators().pattern().neighborhoodMasks(sites, kernel, inner)
                  });
        });
  }

  private static OpCase neighbors(ConvolutionKernel kernel, double density) {
    return SparseSamples.sparse(
        "neighbors " + kernel + " density " + density,
        "sparse pattern",
        Tolerance.EXACT,
        (scope, size, draw) -> {
          Sites sites = SparseSamples.sites(scope, size, density, new Random(draw.seed()));
          Sites coarse =
              kernel.isSubmanifold() ? sites : downsampled(sites, kernel.stride(), scope);
          Tensor[] outputs;
          try (TensorScope first = scope.child("sizes")) {
            outputs = alike(scope, tensors(map(sites, coarse, kernel, first)));
          }
          return pattern(
              scope, sites, outputs, inner -> tensors(map(sites, coarse, kernel, inner)));
        });
  }

  static NeighborMap map(Sites inputs, Sites outputs, ConvolutionKernel kernel, TensorScope scope) {
    return scope.device().operators().pattern().neighbors(inputs, outputs, kernel, scope);
  }

  private static Tensor[] tensors(NeighborMap map) {
    if (map.kernel().isSubmanifold()) {
      return new Tensor[] {map.pointers(), map.masks(), map.inputs()};
    }
    NeighborMap back = map.transposed();
    return new Tensor[] {
      map.pointers(), map.masks(), map.inputs(), back.pointers(), back.masks(), back.inputs()
    };
  }

  /** What makes a pattern operator's results in a scope. */
  @FunctionalInterface
  private interface PatternOperator {
    Tensor[] make(TensorScope scope);
  }

  /** A pattern operator makes its own tensors: each run copies them to the case's outputs. */
  private static Invocation pattern(
      TensorScope scope, Sites sites, Tensor[] outputs, PatternOperator operator) {
    double bytes = sites.rowPointers().bytes() + sites.columns().bytes();
    for (Tensor output : outputs) {
      bytes += output.bytes();
    }
    Runnable run =
        () -> {
          try (TensorScope inner = scope.child("run")) {
            Tensor[] results = operator.make(inner);
            for (int i = 0; i < results.length; i++) {
              copy(results[i], outputs[i]);
            }
          }
        };
    return new Invocation(
        List.of(sites.rowPointers(), sites.columns()), List.of(outputs), run, null, bytes, 0);
  }

  private static Tensor[] alike(TensorScope scope, Tensor[] tensors) {
    Tensor[] result = new Tensor[tensors.length];
    for (int i = 0; i < result.length; i++) {
      result[i] =
          scope.create(
              tensors[i].name(), tensors[i].dtype(), tensors[i].tag(), tensors[i].elements());
    }
    return result;
  }

  private static void copy(Tensor from, Tensor to) {
    int count = Math.toIntExact(from.elements());
    if (from.dtype() == DType.I64) {
      to.write(0, from.toLongs(), 0, count);
    } else {
      to.write(0, from.toInts(), 0, count);
    }
  }
}
