package autosparse.costmodel.training;

import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;

/**
 * Everything that decides a training run besides network and data.
 *
 * @param batch most schedules of one task in one step
 * @param batchesPerEpoch most batches of one task in one epoch, drawn at random; 0 for all of them
 * @param matricesPerStep matrices whose patterns go through the tower together
 * @param rate base learning rate
 * @param decoupledDecay AdamW instead of Adam with L2
 * @param clip largest global gradient norm, 0 for none
 * @param ema horizon of the running average of the weights, see {@link
 *     autosparse.layers.WeightAverage}, as a share of the run's steps; 0 for none
 * @param seed of weights, batches and dropout
 */
public record TrainingConfig(
    RankingLoss loss,
    int epochs,
    int batch,
    int batchesPerEpoch,
    int matricesPerStep,
    double rate,
    RateSchedule rateSchedule,
    double weightDecay,
    boolean decoupledDecay,
    double clip,
    double ema,
    long seed) {
  public TrainingConfig {
    require(epochs >= 1, "epochs", epochs, "at least 1");
    require(batch >= 2, "batch", batch, "at least 2: a ranking loss compares pairs");
    require(batchesPerEpoch >= 0, "batches per epoch", batchesPerEpoch, "at least 0");
    require(matricesPerStep >= 1, "matrices per step", matricesPerStep, "at least 1");
    require(rate > 0, "learning rate", rate, "more than 0");
    require(weightDecay >= 0, "weight decay", weightDecay, "at least 0");
    require(clip >= 0, "clip", clip, "at least 0");
    require(ema >= 0 && ema <= 1, "ema", ema, "from 0 to 1");
  }

  private static void require(boolean holds, String field, Number value, String expected) {
    if (!holds) {
      throw new InputException(field + " " + value + ", expected " + expected);
    }
  }
}
