package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.InputException;

/**
 * AutoSparseNet's 13-layer tower over one matrix: all layers' pooled outputs, and with the backward
 * pass the gradient of all weights, added up, everything kept. Neighbour maps are made before, as
 * in training, where they are kept from step to step.
 */
final class TowerWorkload implements Workload {
  private final TensorScope scope;
  private final Parameters parameters;
  private final SparseTower tower;
  private final PatternPyramid pyramid;
  private final Pass pass;
  private final Cost cost;
  private long step;

  /**
   * @param pass with or without the backward pass
   */
  TowerWorkload(BenchmarkDevice on, Sites.Pattern pattern, int channels, Pass pass) {
    if (pass == Pass.MAP_AND_FORWARD) {
      throw new InputException("pass " + pass.name() + ": a tower keeps its maps");
    }
    this.pass = pass;
    scope = on.scope().child("tower");
    parameters = new Parameters(scope, 1);
    tower = SparseTower.autoSparse(parameters.in("tower"), channels);
    pyramid = new PatternPyramid(scope, pattern);
    cost = cost(tower, pyramid, scope.device(), channels, pass);
  }

  /**
   * What a pass over a tower has to do. Each layer reads its input and writes its output once; its
   * backward step reads both and the output's gradient, for which the input's takes its place. The
   * first layer reads masks and needs no gradient of its input.
   */
  static Cost cost(
      SparseTower tower, PatternPyramid pyramid, Device device, int channels, Pass pass) {
    int size = device.activation().bytes();
    double sites = pyramid.sites(0).count();
    double first = sites * (4 + (double) channels * size);
    double flops = 2 * tower.multiplyAdds(pyramid);
    double bytes = first + tower.featuresMoved(pyramid) * size;
    if (pass == Pass.FORWARD) {
      return Cost.of(flops, bytes);
    }
    double firstFlops = 2 * tower.firstLayerMultiplyAdds(pyramid);
    return Cost.of(3 * flops - firstFlops, 3 * bytes - sites * 4);
  }

  @Override
  public void run() {
    if (pass == Pass.FORWARD) {
      try (Tape tape = Tape.inference(scope)) {
        tower.forward(tape, pyramid);
      }
      return;
    }
    try (Tape tape = Tape.recording(scope, step++)) {
      for (Variable pooled : tower.forward(tape, pyramid)) {
        tape.gradient(pooled, g -> scope.device().operators().elementwise().fill(g, 1));
      }
      tape.backward();
    }
  }

  @Override
  public Cost cost() {
    return cost;
  }

  @Override
  public void close() {
    pyramid.close();
    parameters.close();
    scope.close();
  }
}
