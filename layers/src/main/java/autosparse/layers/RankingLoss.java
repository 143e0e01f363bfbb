package autosparse.layers;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.LossFunctions;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.Tensor;
import java.util.Locale;

/** The ranking losses that a cost model can be trained with. */
public enum RankingLoss {
  /** WACO's: margin 1, mean over pairs. */
  MARGIN {
    @Override
    public Variable forward(Tape tape, Variable scores, Tensor labels, Tensor offsets) {
      return LossFunctions.margin(tape, scores, labels, offsets, 1);
    }
  },
  /** TLP's, TenSet's: LambdaRank, a sum over pairs. */
  LAMBDARANK {
    @Override
    public Variable forward(Tape tape, Variable scores, Tensor labels, Tensor offsets) {
      return LossFunctions.lambdaRank(tape, scores, labels, offsets);
    }
  },
  /**
   * Both: LambdaRank looks at the fastest, the margin at all pairs alike. Weighed so that both pull
   * about equally once training is under way.
   */
  MARGIN_LAMBDARANK {
    @Override
    public Variable forward(Tape tape, Variable scores, Tensor labels, Tensor offsets) {
      Variable margin = MARGIN.forward(tape, scores, labels, offsets);
      return DenseFunctions.add(
          tape,
          LossFunctions.scale(tape, margin, MARGIN_WEIGHT),
          LAMBDARANK.forward(tape, scores, labels, offsets));
    }
  };

  private static final double MARGIN_WEIGHT = 20;

  /**
   * Loss of each group.
   *
   * @param scores [N], real, larger = faster
   * @param labels [N], real, relative speeds, 1 = best
   * @param offsets I64 [G+1], the first score of each group, then N
   * @return [G], real
   */
  public abstract Variable forward(Tape tape, Variable scores, Tensor labels, Tensor offsets);

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
