package autosparse.costmodel.network;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.engine.operators.Activation;
import autosparse.layers.Initializer;
import autosparse.layers.Linear;
import autosparse.layers.Parameters;
import java.util.List;

/**
 * A tower, then two linear layers: patterns → features [B, {@link ModelConfig#PATTERN_FEATURES}].
 */
final class PatternEncoder {
  private static final int HIDDEN = 512;
  private static final int WACO_HIDDEN = 256;

  private final SparseTower tower;
  private final boolean lastOnly;
  private final Linear hidden;
  private final Linear features;

  PatternEncoder(Parameters names, ModelConfig config, Initializer weights) {
    boolean waco = config.kind() == ModelKind.WACO_WIDE;
    this.tower =
        waco
            ? SparseTower.waco(names.in("tower"), config.channels())
            : SparseTower.autoSparse(names.in("tower"), config.channels());
    this.lastOnly = config.kind() == ModelKind.AUTOSPARSE_LAST;
    int in = lastOnly ? tower.lastChannels() : tower.pooledChannels();
    int width = waco ? WACO_HIDDEN : HIDDEN;
    this.hidden = new Linear(names.in("pattern.hidden"), in, width, Activation.RELU, weights);
    this.features =
        new Linear(
            names.in("pattern.features"),
            width,
            ModelConfig.PATTERN_FEATURES,
            Activation.IDENTITY,
            weights);
  }

  SparseTower tower() {
    return tower;
  }

  /** Features from the averages of the tower's layers. */
  Variable forward(Tape tape, List<Variable> pooled) {
    Variable joined =
        lastOnly ? pooled.get(pooled.size() - 1) : DenseFunctions.concatColumns(tape, pooled);
    return features.forward(tape, hidden.forward(tape, joined));
  }
}
