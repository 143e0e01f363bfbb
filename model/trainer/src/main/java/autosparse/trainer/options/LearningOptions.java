package autosparse.trainer.options;

import autosparse.costmodel.training.TrainingConfig;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;

/**
 * How to learn.
 *
 * @param epochs passes over the training schedules
 * @param timeLimitMinutes when to stop at the latest; 0 for never
 * @param batch schedules of one matrix in one step, at most
 * @param batchesPerEpoch random batches of a matrix in one epoch, at most; 0 for all
 * @param matricesPerStep matrices whose towers run in one step
 * @param clip largest norm of the gradient; 0 for no clipping
 * @param ema horizon of the running average of the weights, as a share of the run; 0 for none
 */
public record LearningOptions(
    RankingLoss loss,
    int epochs,
    double timeLimitMinutes,
    int batch,
    int batchesPerEpoch,
    int matricesPerStep,
    double learningRate,
    RateSchedule rateSchedule,
    double weightDecay,
    double clip,
    double ema,
    long seed) {
  /** What {@code --ema} is unless the user says otherwise. */
  public static final String DEFAULT_EMA = "0.1";

  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public LearningOptions {
    Require.positive("--epochs", epochs);
    Require.notNegative("--time-limit", timeLimitMinutes);
    Require.that(batch >= 2, "--batch", batch, "2 or more: a ranking needs pairs");
    Require.notNegative("--batches-per-epoch", batchesPerEpoch);
    Require.positive("--matrices-per-step", matricesPerStep);
    Require.that(
        learningRate > 0 && learningRate <= 1, "--lr", learningRate, "a number above 0, up to 1");
    Require.notNegative("--weight-decay", weightDecay);
    Require.notNegative("--clip", clip);
    Require.that(ema >= 0 && ema <= 1, "--ema", ema, "a share of the run, from 0 to 1");
  }

  /** The same for the training loop; decay is decoupled from the gradient (AdamW). */
  public TrainingConfig toConfig() {
    return new TrainingConfig(
        loss,
        epochs,
        batch,
        batchesPerEpoch,
        matricesPerStep,
        learningRate,
        rateSchedule,
        weightDecay,
        true,
        clip,
        ema,
        seed);
  }
}
