package autosparse.costmodel.memory;

import autosparse.autograd.SparseFunctions.Pool;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.SparseConvolutionOperators.HeldWeight;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A tower of which one strip of rows is in memory at a time. Its only outputs are averages over
 * sites, and their gradient is the same for every site of a matrix: so the strips are independent
 * once the averages are known. Forward each strip adds its sums; after the step's loss and its
 * gradients by the averages each strip is computed again, recorded, and run backward, adding weight
 * gradients. Every site counts in the strip that owns its row.
 *
 * <p>The backward pass computes them in smaller strips where that is what fits. Sums are formed in
 * double, so that averages are those of the whole matrix at once. Strips are visited in one order,
 * so the same bits come out each time.
 */
final class StripPass implements TowerPass {
  private final SparseTower tower;
  private final TensorScope scope;
  private final List<Strip> forward;
  private final List<Strip> backward;
  private final int batch;

  /** Sites of each matrix on each layer's output level. */
  private final long[][] counts;

  private final List<Variable> averages = new ArrayList<>();

  /** Rows of the backward pass' first strip, read while the forward pass ends and the head runs. */
  private CompletableFuture<Sites.Pattern> first;

  /**
   * @param forward strips that the averages are formed by
   * @param backward strips that gradients are formed by, of the same matrices
   */
  StripPass(
      SparseTower tower, TensorScope scope, int batch, List<Strip> forward, List<Strip> backward) {
    this.tower = tower;
    this.scope = scope;
    this.forward = forward;
    this.backward = backward;
    this.batch = batch;
    this.counts = new long[tower.size()][batch];
  }

  private ElementwiseOperators elementwise() {
    return scope.device().operators().elementwise();
  }

  @Override
  public List<Variable> pooled(Tape tape) {
    for (int layer = 0; layer < tower.size(); layer++) {
      long[] sizes = {batch, tower.channels(layer)};
      Tensor average = tape.scope().real("pooled", MemoryTag.ACTIVATION, sizes);
      averages.add(
          tape.isRecording()
              ? Variable.leaf(
                  average, tape.scope().zeros("pooled gradient", MemoryTag.ACTIVATION, sizes))
              : Variable.constant(average));
    }
    boolean twice = tape.isRecording() && !backward.isEmpty();
    try (TensorScope summing = scope.child("sums of strips")) {
      List<Tensor> sums = new ArrayList<>();
      for (int layer = 0; layer < tower.size(); layer++) {
        Tensor sum =
            summing.create("sums", DType.F64, MemoryTag.ACTIVATION, batch, tower.channels(layer));
        sum.setDoubles(new double[Math.toIntExact(sum.elements())]);
        sums.add(sum);
      }
      run(forward, sums, twice ? backward.get(0) : null);
      for (int layer = 0; layer < tower.size(); layer++) {
        Tensor sites = summing.longs("sites", MemoryTag.SITES, counts[layer]);
        scope
            .device()
            .operators()
            .pooling()
            .averageOfSum(sums.get(layer), sites, averages.get(layer).value());
      }
    }
    return List.copyOf(averages);
  }

  @Override
  public void finish() {
    // The gradient by an average becomes that by the sum that it was made of.
    for (int layer = 0; layer < tower.size(); layer++) {
      for (int matrix = 0; matrix < batch; matrix++) {
        Tensor gradient = averages.get(layer).gradient().rows(matrix, matrix + 1);
        elementwise().scale(1.0 / Math.max(1, counts[layer][matrix]), gradient, gradient);
      }
    }
    run(backward, null, null);
  }

  /**
   * Goes through strips once.
   *
   * @param sums F64 [batch, C] of each layer, to which those of the strips are added; null where
   *     gradients are formed
   * @param next what will be read next after them; null for nothing
   */
  private void run(List<Strip> strips, List<Tensor> sums, Strip next) {
    try (TensorScope kept = scope.child("weights of strips");
        HeldWeight held = tower.holdWeights(kept, sums == null);
        StripRows rows = new StripRows(scope, strips, first, next)) {
      for (Strip strip : strips) {
        run(strip, rows.next(), sums);
        rows.fetch();
      }
      first = rows.following();
    }
  }

  private void run(Strip strip, Sites rows, List<Tensor> sums) {
    boolean recorded = sums == null;
    try (PatternPyramid pyramid = new PatternPyramid(scope, rows, recorded)) {
      tower.prepareLevels(pyramid);
      try (Tape tape = recorded ? Tape.recording(scope, 0) : Tape.inference(scope)) {
        forward(tape, pyramid, pools(strip, pyramid, tape, sums));
        tape.backward(); // of nothing where nothing is recorded
      }
    }
  }

  /** What each layer's owned sites are summed into; counts them in the pass that does. */
  private Pool[] pools(Strip strip, PatternPyramid pyramid, Tape tape, List<Tensor> sums) {
    long[] bounds = ownedSites(strip, pyramid);
    Tensor offsets = tape.scope().longs("owned sites", MemoryTag.SITES, bounds);
    int matrix = strip.matrix();
    Pool[] pools = new Pool[tower.size()];
    for (int layer = 0; layer < pools.length; layer++) {
      Tensor own = offsets.rows(2L * layer, 2L * layer + 2);
      if (sums == null) {
        Variable average = averages.get(layer);
        Tensor value = average.value().rows(matrix, matrix + 1);
        Tensor gradient = average.gradient().rows(matrix, matrix + 1);
        pools[layer] = Pool.partOf(Variable.leaf(value, gradient), own);
      } else {
        pools[layer] = Pool.addedTo(sums.get(layer).rows(matrix, matrix + 1), own);
        counts[layer][matrix] += bounds[2 * layer + 1] - bounds[2 * layer];
      }
    }
    return pools;
  }

  /** First site that the strip owns, and the site behind the last, of each layer's output. */
  private long[] ownedSites(Strip strip, PatternPyramid pyramid) {
    long[] bounds = new long[2 * tower.size()];
    for (int layer = 0; layer < tower.size(); layer++) {
      int level = tower.outputLevel(layer);
      long stride = tower.stride(layer);
      bounds[2 * layer] = pyramid.firstSite(level, strip.firstOwned(stride));
      bounds[2 * layer + 1] = pyramid.firstSite(level, strip.endOwned(stride));
    }
    return bounds;
  }

  /**
   * All layers. The map of each is freed when nothing more is computed by it; so is the first one's
   * output, the widest of the finest level, which the backward pass computes again.
   */
  private void forward(Tape tape, PatternPyramid pyramid, Pool[] pools) {
    Variable x = null;
    for (int l = 0; l < pools.length; l++) {
      int layer = l;
      tape.afterBackward("map", () -> tower.releaseMap(pyramid, layer));
      Variable y = tower.layer(tape, pyramid, layer, x, pools[layer]).features();
      if (layer == 1) {
        tower.computeFirstAgain(tape, pyramid, x);
      } else if (layer > 1) {
        tape.discard(x);
      }
      if (!tape.isRecording()) {
        tower.releaseMap(pyramid, layer);
      }
      x = y;
    }
  }
}
