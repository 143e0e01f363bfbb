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

  /**
   * Elements {@code from} to {@code from + count} of one of several tensors.
   *
   * @param number of the tile among those of all the tensors
   */
  private record Tile(long number, int tensor, long from, int count) {
    /** This tile of one of several lists of tensors, which are alike. */
    float[] read(List<Tensor> tensors, Scratch scratch, int slot) {
      float[] values = scratch.array(slot, count);
      tensors.get(tensor).read(from, values, 0, count);
      return values;
    }

    void write(List<Tensor> tensors, float[] values) {
      tensors.get(tensor).write(from, values, 0, count);
    }
  }

  @FunctionalInterface
  private interface TileWork {
    void run(Scratch scratch, Tile tile);
  }

  /**
   * Does some work on each tile of tensors.
   *
   * @param firsts from {@link #firstTiles}
   */
  private void eachTile(List<Tensor> tensors, long[] firsts, TileWork work) {
    pool.run(
        firsts[tensors.size()],
        (worker, number) -> {
          int p = tensorOf(firsts, number);
          long from = (number - firsts[p]) * Tiles.ELEMENTS;
          int count = (int) Math.min(Tiles.ELEMENTS, tensors.get(p).elements() - from);
          work.run(pool.scratch(worker), new Tile(number, p, from, count));
        });
  }

  @Override
  protected void applyGlobalNorm(List<Tensor> gradients, Tensor norm) {
    long[] firsts = firstTiles(gradients);
    double[] squares = new double[Math.toIntExact(firsts[gradients.size()])];
    eachTile(
        gradients,
        firsts,
        (scratch, tile) -> {
          float[] values = tile.read(gradients, scratch, 0);
          squares[(int) tile.number()] = FloatMath.dot(values, values, 0, tile.count());
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
    eachTile(
        weights,
        firstTiles(weights),
        (scratch, tile) -> {
          float[] w = tile.read(weights, scratch, 0);
          float[] g = tile.read(gradients, scratch, 1);
          float[] m = tile.read(firstMoments, scratch, 2);
          float[] v = tile.read(secondMoments, scratch, 3);
          update.apply(w, g, m, v, tile.count());
          tile.write(weights, w);
          tile.write(firstMoments, m);
          tile.write(secondMoments, v);
          Arrays.fill(g, 0, tile.count(), 0);
          tile.write(gradients, g);
        });
  }

  @Override
  protected void applyAverage(double share, List<Tensor> weights, List<Tensor> averages) {
    float taken = (float) share;
    eachTile(
        weights,
        firstTiles(weights),
        (scratch, tile) -> {
          float[] w = tile.read(weights, scratch, 0);
          float[] a = tile.read(averages, scratch, 1);
          for (int i = 0; i < tile.count(); i++) {
            a[i] = Math.fma(taken, w[i] - a[i], a[i]);
          }
          tile.write(averages, a);
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
      return new Update(
          (float) clip,
          (float) settings.coupledDecay(),
          (float) settings.decoupledDecay(),
          (float) settings.beta1(),
          (float) (1 - settings.beta1()),
          (float) settings.beta2(),
          (float) (1 - settings.beta2()),
          (float) (settings.rate() / settings.correction1()),
          (float) (1 / settings.correction2()),
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
