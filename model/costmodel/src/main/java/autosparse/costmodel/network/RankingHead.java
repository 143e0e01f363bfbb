package autosparse.costmodel.network;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.layers.Initializer;
import autosparse.layers.LayerNorm;
import autosparse.layers.Linear;
import autosparse.layers.MultiHeadAttention;
import autosparse.layers.Parameters;
import autosparse.layers.ResidualMlp;
import java.util.ArrayList;
import java.util.List;

/**
 * Tokens to a score: encoder, one or two attention layers over packed sequences, two residual MLPs,
 * decoder, sum over tokens.
 *
 * <p>Published form: attention without residual, no normalisation. Ours: pre-normalised residual
 * blocks and a last normalisation, which trains in a tenth of the steps.
 */
final class RankingHead {
  private static final int RESIDUAL_MLPS = 2;

  private final boolean normalized;
  private final Linear encoderHidden;
  private final Linear encoder;
  private final List<LayerNorm> attentionNorms = new ArrayList<>();
  private final List<MultiHeadAttention> attention = new ArrayList<>();
  private final Linear join;
  private final List<ResidualMlp> residuals = new ArrayList<>();
  private final LayerNorm lastNorm;
  private final List<Linear> decoder = new ArrayList<>();

  RankingHead(Parameters names, ModelConfig config, int tokenWidth, Initializer weights) {
    ModelConfig.Head head = config.head();
    int width = head.width();
    normalized = config.tokens() == TokenForm.NORMALIZED;
    encoderHidden =
        new Linear(
            names.in("encoder.hidden"), tokenWidth, head.encoderHidden(), Activation.RELU, weights);
    encoder =
        new Linear(
            names.in("encoder.output"), head.encoderHidden(), width, Activation.RELU, weights);
    for (int layer = 0; layer < config.attentionLayers(); layer++) {
      String name = "attention." + layer;
      if (normalized) {
        attentionNorms.add(new LayerNorm(names.in(name).in("norm"), width));
      }
      attention.add(new MultiHeadAttention(names.in(name), width, head.attentionHeads(), weights));
    }
    join =
        config.featureAt() == FeatureAt.CONCAT
            ? new Linear(names.in("join"), 2L * width, width, Activation.IDENTITY, weights)
            : null;
    ResidualMlp.Form form =
        normalized
            ? new ResidualMlp.Form(true, Activation.RELU, Activation.IDENTITY, 1)
            : ResidualMlp.Form.PUBLISHED;
    for (int block = 0; block < RESIDUAL_MLPS; block++) {
      String name = "residual." + block;
      residuals.add(
          new ResidualMlp(names.in(name), name, width, head.residualHidden(), form, weights));
    }
    lastNorm = normalized ? new LayerNorm(names.in("norm"), width) : null;
    int in = width;
    int[] widths = {width / 2, width / 4, 1};
    for (int layer = 0; layer < widths.length; layer++) {
      Activation activation = layer == widths.length - 1 ? Activation.IDENTITY : Activation.RELU;
      decoder.add(new Linear(names.in("decoder." + layer), in, widths[layer], activation, weights));
      in = widths[layer];
    }
  }

  /**
   * Scores of packed sequences.
   *
   * @param rows [U, token width] distinct tokens, encoded once each
   * @param tokens I32 [T], row of each token
   * @param offsets I64 [N+1], first token of each sequence
   * @param patternRows I32 [T], row of each token's pattern; null unless features are concatenated
   * @return [N]
   */
  Variable scores(Tape tape, Variable rows, Tensor tokens, Tensor offsets, Tensor patternRows) {
    Variable encoded = tape.within("encoder", () -> encode(tape, rows));
    Variable x = DenseFunctions.gather(tape, encoded, tokens);
    for (int l = 0; l < attention.size(); l++) {
      int layer = l;
      Variable input = x;
      x = tape.within("attention", () -> attend(tape, layer, input, offsets));
      if (layer == 0 && join != null) {
        Variable features = DenseFunctions.gather(tape, encoded, patternRows);
        Variable both = DenseFunctions.concatColumns(tape, List.of(x, features));
        tape.discard(features);
        x = replaced(tape, x, join.forward(tape, both));
        tape.discard(both);
      }
    }
    tape.discard(encoded);
    for (ResidualMlp residual : residuals) {
      Variable input = x;
      x =
          tape.within(
              "residual blocks", () -> replaced(tape, input, residual.forward(tape, input)));
    }
    Variable last = x;
    return tape.within("decoder", () -> decode(tape, last, offsets));
  }

  private Variable encode(Tape tape, Variable rows) {
    Variable cast = DenseFunctions.cast(tape, rows, tape.scope().device().activation());
    Variable hidden = encoderHidden.forward(tape, cast);
    if (cast != rows) {
      tape.discard(cast);
    }
    Variable encoded = encoder.forward(tape, hidden);
    tape.discard(hidden);
    return encoded;
  }

  private Variable decode(Tape tape, Variable features, Tensor offsets) {
    Variable x = features;
    if (lastNorm != null) {
      x = replaced(tape, x, lastNorm.forward(tape, x));
    }
    for (Linear layer : decoder.subList(0, decoder.size() - 1)) {
      x = replaced(tape, x, layer.forward(tape, x));
    }
    // Scores are added up and compared with each other: from here on in single precision.
    Variable last = DenseFunctions.cast(tape, x, tape.scope().device().real());
    x = last == x ? x : replaced(tape, x, last);
    x = replaced(tape, x, decoder.get(decoder.size() - 1).forward(tape, x));
    Variable sums = replaced(tape, x, DenseFunctions.segmentSum(tape, x, offsets));
    return DenseFunctions.reshape(tape, sums, offsets.dim(0) - 1);
  }

  private Variable attend(Tape tape, int layer, Variable x, Tensor offsets) {
    if (!normalized) {
      return replaced(tape, x, attention.get(layer).forward(tape, x, offsets));
    }
    Variable norm = attentionNorms.get(layer).forward(tape, x);
    Variable change = attention.get(layer).forward(tape, norm, offsets);
    tape.discard(norm);
    Variable y = DenseFunctions.add(tape, x, change);
    tape.discard(change);
    return replaced(tape, x, y);
  }

  private static Variable replaced(Tape tape, Variable old, Variable next) {
    tape.discard(old);
    return next;
  }
}
