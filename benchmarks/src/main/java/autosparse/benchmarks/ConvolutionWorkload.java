package autosparse.benchmarks;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;

/**
 * A submanifold 3×3 convolution without activation over all sites of a matrix. Operations are those
 * of neighbours that exist; zeros that an implementation multiplies do not count.
 */
final class ConvolutionWorkload implements Workload {
  private static final ConvolutionKernel KERNEL = new ConvolutionKernel(3, 1, 1);

  private final TensorScope scope;
  private final Sites sites;
  private final NeighborMap map;
  private final Tensor x;
  private final Tensor weight;
  private final Tensor y;
  private final Tensor dy;
  private final Tensor dx;
  private final Tensor dWeight;
  private final Pass pass;

  ConvolutionWorkload(BenchmarkDevice on, Sites.Pattern pattern, int in, int out, Pass pass) {
    this.pass = pass;
    scope = on.scope().child("convolution");
    sites = Sites.of(scope, pattern);
    map = scope.device().operators().pattern().neighbors(sites, sites, KERNEL, scope);
    x = features("x", in);
    y = features("y", out);
    RandomTensors.fill(x, 1);
    weight = scope.real("weight", MemoryTag.WEIGHTS, KERNEL.offsets(), in, out);
    RandomTensors.fill(weight, 2);
    boolean backward = pass == Pass.FORWARD_AND_BACKWARD;
    dy = backward ? features("dy", out) : null;
    dx = backward ? features("dx", in) : null;
    dWeight =
        backward ? scope.zeros("dWeight", MemoryTag.GRADIENTS, KERNEL.offsets(), in, out) : null;
    if (backward) {
      RandomTensors.fill(dy, 3);
    }
  }

  private Tensor features(String name, int channels) {
    DType type = scope.device().activation();
    return scope.create(name, type, MemoryTag.ACTIVATION, sites.count(), channels);
  }

  @Override
  public void run() {
    var convolution = scope.device().operators().convolution();
    if (pass == Pass.MAP_AND_FORWARD) {
      try (TensorScope step = scope.child("step")) {
        NeighborMap made =
            scope.device().operators().pattern().neighbors(sites, sites, KERNEL, step);
        convolution.forward(x, weight, made, false, y);
      }
      return;
    }
    convolution.forward(x, weight, map, false, y);
    if (pass == Pass.FORWARD_AND_BACKWARD) {
      convolution.backward(x, weight, map, dy, dx, dWeight);
    }
  }

  @Override
  public Cost cost() {
    double forward = 2.0 * map.pairs() * weight.dim(1) * weight.dim(2);
    double bytes = x.bytes() + y.bytes() + weight.bytes();
    return switch (pass) {
      case FORWARD -> Cost.of(forward, bytes);
      case MAP_AND_FORWARD ->
          Cost.of(forward, bytes + sites.columns().bytes() + sites.rowPointers().bytes());
      case FORWARD_AND_BACKWARD ->
          Cost.of(
              3 * forward,
              bytes + x.bytes() + dy.bytes() + weight.bytes() + dx.bytes() + dWeight.bytes());
    };
  }

  @Override
  public void close() {
    scope.close();
  }
}
