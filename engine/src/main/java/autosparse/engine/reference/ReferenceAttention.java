package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.AttentionOperators;
import autosparse.engine.operators.Segments;

/** One sequence, head and query at a time. */
final class ReferenceAttention extends AttentionOperators {
  @Override
  protected void applyAttention(
      Tensor qkv, Tensor offsets, int heads, Tensor out, Tensor logSumExp) {
    int channels = (int) out.dim(1);
    int d = channels / heads;
    double scale = 1 / Math.sqrt(d);
    double[] values = qkv.toDoubles();
    double[] outs = new double[(int) out.elements()];
    double[] logs = new double[(int) logSumExp.elements()];
    long[] starts = Segments.read("attention", offsets, out.dim(0));
    for (int s = 0; s + 1 < starts.length; s++) {
      int from = (int) starts[s];
      int to = (int) starts[s + 1];
      for (int h = 0; h < heads; h++) {
        for (int i = from; i < to; i++) {
          double[] scores = new double[to - from];
          double max = Double.NEGATIVE_INFINITY;
          for (int j = from; j < to; j++) {
            for (int c = 0; c < d; c++) {
              scores[j - from] +=
                  scale * values[query(i, h, channels, d) + c] * values[key(j, h, channels, d) + c];
            }
            max = Math.max(max, scores[j - from]);
          }
          double sum = 0;
          for (double score : scores) {
            sum += StrictMath.exp(score - max);
          }
          logs[i * heads + h] = max + StrictMath.log(sum);
          for (int j = from; j < to; j++) {
            double probability = StrictMath.exp(scores[j - from] - logs[i * heads + h]);
            for (int c = 0; c < d; c++) {
              outs[i * channels + h * d + c] += probability * values[value(j, h, channels, d) + c];
            }
          }
        }
      }
    }
    out.setDoubles(outs);
    logSumExp.setDoubles(logs);
  }

  @Override
  protected void applyAttentionBackward(
      Tensor qkv,
      Tensor offsets,
      int heads,
      Tensor out,
      Tensor logSumExp,
      Tensor dOut,
      Tensor dQkv) {
    int channels = (int) out.dim(1);
    int d = channels / heads;
    double scale = 1 / Math.sqrt(d);
    double[] values = qkv.toDoubles();
    double[] outs = out.toDoubles();
    double[] logs = logSumExp.toDoubles();
    double[] dOuts = dOut.toDoubles();
    double[] gradients = new double[values.length];
    long[] starts = Segments.read("attentionBackward", offsets, out.dim(0));
    for (int s = 0; s + 1 < starts.length; s++) {
      for (int h = 0; h < heads; h++) {
        for (int i = (int) starts[s]; i < starts[s + 1]; i++) {
          int q = query(i, h, channels, d);
          int o = i * channels + h * d;
          double mean = 0; // of the probabilities' gradients under the probabilities
          for (int c = 0; c < d; c++) {
            mean += dOuts[o + c] * outs[o + c];
          }
          for (int j = (int) starts[s]; j < starts[s + 1]; j++) {
            int k = key(j, h, channels, d);
            int v = value(j, h, channels, d);
            double score = 0;
            double dProbability = 0;
            for (int c = 0; c < d; c++) {
              score += scale * values[q + c] * values[k + c];
              dProbability += dOuts[o + c] * values[v + c];
            }
            double probability = StrictMath.exp(score - logs[i * heads + h]);
            double dScore = probability * (dProbability - mean) * scale;
            for (int c = 0; c < d; c++) {
              gradients[q + c] += dScore * values[k + c];
              gradients[k + c] += dScore * values[q + c];
              gradients[v + c] += probability * dOuts[o + c];
            }
          }
        }
      }
    }
    dQkv.setDoubles(gradients);
  }

  private static int query(int token, int head, int channels, int d) {
    return token * 3 * channels + head * d;
  }

  private static int key(int token, int head, int channels, int d) {
    return query(token, head, channels, d) + channels;
  }

  private static int value(int token, int head, int channels, int d) {
    return query(token, head, channels, d) + 2 * channels;
  }
}
