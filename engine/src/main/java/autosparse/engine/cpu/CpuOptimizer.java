package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.OptimizerOperators;
import java.util.Arrays;
import java.util.List;

/** All parameters in one sweep: their elements are cut into one list of tiles. */
final class CpuOptimizer extends OptimizerOperators {
  private final WorkerPool pool;

  CpuOptimizer(WorkerPool pool) {
    this.pool = pool;
  }

  /** Tiles of several tensors; those of tensor p are numbered firsts[p] to firsts[p+1]. */
  private static long[] firstTiles(List<Tensor> tensors) {
    long[] firsts = new long[tensors.size() + 1];
    for (int p = 0; p < tensors.size(); p++) {
      firsts[p + 1] = firsts[p] + Tiles.count(tensors.get(p).elements(), Tiles.ELEMENTS);
    }
    return firsts;
  }

  /** The last tensor whose first tile is not after this one; empty tensors have no tile. */
  private static int tensorOf(long[] firsts, long tile) {
    int found = Arrays.binarySearch(firsts, tile + 1);
    int after = found >= 0 ? found : -found - 1;
    while (firsts[after - 1] > tile) {
      after--;
    }
    return after - 1;
  }

  @Override
  protected void applyGlobalNorm(List<Tensor> gradients, Tensor norm) {
    long[] firsts = firstTiles(gradients);
    double[] squares = new double[Math.toIntExact(firsts[gradients.size()])];
    pool.run(
        squares.length,
        (worker, tile) -> {
          int p = tensorOf(firsts, tile);
          long from = (tile - firsts[p]) * Tiles.ELEMENTS;
          int count = (int) Math.min(Tiles.ELEMENTS, gradients.get(p).elements() - from);
          float[] values = pool.scratch(worker).array(0, count);
          gradients.get(p).read(from, values, 0, count);
          squares[(int) tile] = FloatMath.dot(values, values, 0, count);
        });
    double total = 0;
    for (double square : squares) {
      total += square;
    }
    norm.write(0, new float[] {(float) Math.sqrt(total)}, 0, 1);
  }

  @Override
  protected void applyAdam(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm) {
    double clip = settings.clipNorm() > 0 ? Math.min(1, settings.clipNorm() / norm.item()) : 1;
    Update update = Update.of(settings, clip);
    long[] firsts = firstTiles(weights);
    pool.run(
        firsts[weights.size()],
        (worker, tile) -> {
          int p = tensorOf(firsts, tile);
          long from = (tile - firsts[p]) * Tiles.ELEMENTS;
          int count = (int) Math.min(Tiles.ELEMENTS, weights.get(p).elements() - from);
          Scratch scratch = pool.scratch(worker);
          float[] w = scratch.array(0, count);
          float[] g = scratch.array(1, count);
          float[] m = scratch.array(2, count);
          float[] v = scratch.array(3, count);
          weights.get(p).read(from, w, 0, count);
          gradients.get(p).read(from, g, 0, count);
          firstMoments.get(p).read(from, m, 0, count);
          secondMoments.get(p).read(from, v, 0, count);
          update.apply(w, g, m, v, count);
          weights.get(p).write(from, w, 0, count);
          firstMoments.get(p).write(from, m, 0, count);
          secondMoments.get(p).write(from, v, 0, count);
          Arrays.fill(g, 0, count, 0);
          gradients.get(p).write(from, g, 0, count);
        });
  }

  @Override
  protected void applyAverage(double share, List<Tensor> weights, List<Tensor> averages) {
    float taken = (float) share;
    long[] firsts = firstTiles(weights);
    pool.run(
        firsts[weights.size()],
        (worker, tile) -> {
          int p = tensorOf(firsts, tile);
          long from = (tile - firsts[p]) * Tiles.ELEMENTS;
          int count = (int) Math.min(Tiles.ELEMENTS, weights.get(p).elements() - from);
          float[] w = pool.scratch(worker).array(0, count);
          float[] a = pool.scratch(worker).array(1, count);
          weights.get(p).read(from, w, 0, count);
          averages.get(p).read(from, a, 0, count);
          for (int i = 0; i < count; i++) {
            a[i] = Math.fma(taken, w[i] - a[i], a[i]);
          }
          averages.get(p).write(from, a, 0, count);
        });
  }

  /** One step's constants, rounded to float once. */
  private record Update(
      float clip,
      float coupledDecay,
      float decoupledDecay,
      float keep1,
      float take1,
      float keep2,
      float take2,
      float rate,
      float inverseCorrection2,
      float epsilon) {
    static Update of(AdamStep settings, double clip) {
      double step = (double) settings.step();
      double correction1 = 1 - StrictMath.pow(settings.beta1(), step);
      double correction2 = 1 - StrictMath.pow(settings.beta2(), step);
      double decay = settings.weightDecay();
      return new Update(
          (float) clip,
          (float) (settings.decoupled() ? 0 : decay),
          (float) (settings.decoupled() ? settings.rate() * decay : 0),
          (float) settings.beta1(),
          (float) (1 - settings.beta1()),
          (float) settings.beta2(),
          (float) (1 - settings.beta2()),
          (float) (settings.rate() / correction1),
          (float) (1 / correction2),
          (float) settings.epsilon());
    }

    void apply(float[] w, float[] g, float[] m, float[] v, int count) {
      for (int i = 0; i < count; i++) {
        float gradient = Math.fma(coupledDecay, w[i], g[i] * clip);
        m[i] = Math.fma(keep1, m[i], take1 * gradient);
        v[i] = Math.fma(keep2, v[i], take2 * gradient * gradient);
        float deviation = (float) Math.sqrt(v[i] * inverseCorrection2) + epsilon;
        w[i] -= rate * m[i] / deviation + decoupledDecay * w[i];
      }
    }
  }
}
