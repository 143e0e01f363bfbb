package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.engine.operators.Segments;

/**
 * Every element visits all its pairs, so each gradient has one owner; a pair's loss counts at its
 * better element. O(N) memory, O(N²) time.
 */
final class CpuRankingLoss extends RankingLossOperators {
  private static final int TILE = 16;
  private static final float INVERSE_LN2 = 1.442695f;

  /**
   * Differences of scores beyond which a well-ordered pair counts as this far apart: e^−40 is
   * nothing beside 1, and smaller numbers would become denormal, which processors compute slowly.
   */
  private static final float STEEPEST = 40;

  private final WorkerPool pool;

  CpuRankingLoss(WorkerPool pool) {
    this.pool = pool;
  }

  /** Work on one element, given by its position in label order. */
  @FunctionalInterface
  private interface Element {
    void run(Scratch scratch, int position);
  }

  private void forEach(LabelOrder order, Element work) {
    Tiles.ranges(
        pool,
        order.count,
        TILE,
        (scratch, from, count) -> {
          for (int p = (int) from; p < from + count; p++) {
            work.run(scratch, p);
          }
        });
  }

  /** Writes the groups' losses, summed in label order, and the gradients, in original order. */
  private static void store(
      LabelOrder order, double[] loss, float[] gradient, Tensor losses, Tensor dScores) {
    double[] sums = new double[order.starts.length - 1];
    float[] restored = new float[order.count];
    for (int p = 0; p < order.count; p++) {
      sums[order.group[p]] += loss[p];
      restored[order.index[p]] = gradient[p];
    }
    losses.setDoubles(sums);
    dScores.write(0, restored, 0, order.count);
  }

  @Override
  protected void applyMargin(
      Tensor scores, Tensor labels, Tensor offsets, double margin, Tensor losses, Tensor dScores) {
    long[] starts = Segments.read("margin", offsets, scores.dim(0));
    LabelOrder order = new LabelOrder(pool, scores, labels, starts);
    double[] inversePairs = new double[starts.length - 1];
    for (int p = 0; p < order.count; p++) {
      inversePairs[order.group[p]] += order.to(p) - order.tiesTo[p];
    }
    for (int g = 0; g < inversePairs.length; g++) {
      inversePairs[g] = inversePairs[g] == 0 ? 0 : 1 / inversePairs[g];
    }
    double[] loss = new double[order.count];
    float[] gradient = new float[order.count];
    forEach(
        order,
        (scratch, p) -> {
          float[] violations = scratch.array(0, order.count);
          float s = order.scores[p];
          int worse = order.tiesTo[p];
          int end = order.to(p);
          violations(order.scores, s - (float) margin, 1, worse, end, violations);
          double scale = inversePairs[order.group[p]];
          loss[p] = FloatMath.sum(violations, worse, end) * scale;
          int active = -positive(violations, worse, end);
          int better = order.tiesFrom[p];
          violations(order.scores, s + (float) margin, -1, order.from(p), better, violations);
          active += positive(violations, order.from(p), better);
          gradient[p] = (float) (active * scale);
        });
    store(order, loss, gradient, losses, dScores);
  }

  /** out = max(0, sign·(scores − bound)). */
  private static void violations(
      float[] scores, float bound, float sign, int from, int to, float[] out) {
    for (int j = from; j < to; j++) {
      out[j] = Math.max(0f, sign * (scores[j] - bound));
    }
  }

  private static int positive(float[] values, int from, int to) {
    int count = 0;
    for (int j = from; j < to; j++) {
      count += values[j] > 0 ? 1 : 0;
    }
    return count;
  }

  @Override
  protected void applyLambdaRank(
      Tensor scores, Tensor labels, Tensor offsets, Tensor losses, Tensor dScores) {
    long[] starts = Segments.read("lambdaRank", offsets, scores.dim(0));
    LabelOrder order = new LabelOrder(pool, scores, labels, starts);
    float[] gains = new float[order.count];
    float[] inverseDiscounts = new float[order.count];
    pool.run(
        starts.length - 1L,
        (worker, g) ->
            weigh(
                order, (int) starts[(int) g], (int) starts[(int) g + 1], gains, inverseDiscounts));
    double[] loss = new double[order.count];
    float[] gradient = new float[order.count];
    forEach(
        order,
        (scratch, p) -> {
          Pairs pairs = new Pairs(order.scores, gains, inverseDiscounts, p);
          float[] slopes = scratch.array(0, order.count);
          float[] terms = scratch.array(1, order.count);
          float[] work = scratch.array(2, order.count);
          int worse = order.tiesTo[p];
          int end = order.to(p);
          pairs.worse(worse, end, slopes, terms, work);
          loss[p] = FloatMath.sum(terms, worse, end) * INVERSE_LN2;
          double slope = -FloatMath.sum(slopes, worse, end);
          int better = order.tiesFrom[p];
          pairs.better(order.from(p), better, slopes, work);
          slope += FloatMath.sum(slopes, order.from(p), better);
          gradient[p] = (float) (slope * INVERSE_LN2);
        });
    store(order, loss, gradient, losses, dScores);
  }

  /** Gains and discounts of one group, by position. */
  private static void weigh(
      LabelOrder order, int from, int to, float[] gains, float[] inverseDiscounts) {
    double[] exact = new double[to - from];
    double maxDcg = 0;
    for (int p = from; p < to; p++) {
      exact[p - from] = StrictMath.pow(2, order.labels[p]) - 1;
      maxDcg += exact[p - from] * inverseDiscount(p - from);
    }
    for (int p = from; p < to; p++) {
      gains[p] = maxDcg == 0 ? 0 : (float) (exact[p - from] / maxDcg);
    }
    int[] byScore = rankByScore(order, from, to);
    for (int r = 0; r < byScore.length; r++) {
      inverseDiscounts[byScore[r]] = (float) inverseDiscount(r);
    }
  }

  /** Positions by descending score, ties by ascending original index. */
  private static int[] rankByScore(LabelOrder order, int from, int to) {
    float[] original = new float[to - from];
    int[] position = new int[to - from];
    for (int p = from; p < to; p++) {
      original[order.index[p] - from] = order.scores[p];
      position[order.index[p] - from] = p;
    }
    int[] ranked = LabelOrder.descending(original, 0, original.length);
    for (int r = 0; r < ranked.length; r++) {
      ranked[r] = position[ranked[r]];
    }
    return ranked;
  }

  /** 1/log2(1 + rank), the rank being one more than the position. */
  private static double inverseDiscount(int position) {
    return StrictMath.log(2) / StrictMath.log(2.0 + position);
  }

  /** The pairs of one element. */
  private record Pairs(float[] scores, float[] gains, float[] inverseDiscounts, int element) {
    /** Pairs with worse elements: slopes w·σ(−difference), terms w·ln(1 + e^−difference). */
    void worse(int from, int to, float[] slopes, float[] terms, float[] work) {
      float s = scores[element];
      for (int j = from; j < to; j++) {
        work[j] = Math.max(-STEEPEST, -Math.abs(s - scores[j]));
      }
      FloatMath.exp(work, from, to, terms);
      finishWorse(s, gains[element], inverseDiscounts[element], from, to, slopes, terms);
    }

    private void finishWorse(
        float s, float gain, float inverse, int from, int to, float[] slopes, float[] terms) {
      for (int j = from; j < to; j++) {
        float weight = Math.abs(inverse - inverseDiscounts[j]) * Math.abs(gain - gains[j]);
        float e = terms[j]; // e^−|difference|
        float inverted = scores[j] - s;
        // The sigmoid's numerator is e when the order is right, 1 when it is inverted.
        float numerator = Math.max(e, Math.min(1f, inverted * Float.MAX_VALUE));
        slopes[j] = weight * numerator / (1 + e);
        terms[j] = weight * (Math.max(inverted, 0f) + FloatMath.log1pOfUnit(e));
      }
    }

    /** Pairs with better elements: slopes w·σ(−(better − this)). */
    void better(int from, int to, float[] slopes, float[] work) {
      float s = scores[element];
      for (int j = from; j < to; j++) {
        work[j] = Math.min(STEEPEST, scores[j] - s);
      }
      FloatMath.exp(work, from, to, slopes);
      finishBetter(gains[element], inverseDiscounts[element], from, to, slopes);
    }

    private void finishBetter(float gain, float inverse, int from, int to, float[] slopes) {
      for (int j = from; j < to; j++) {
        float weight = Math.abs(inverse - inverseDiscounts[j]) * Math.abs(gain - gains[j]);
        slopes[j] = weight / (1 + slopes[j]);
      }
    }
  }
}
