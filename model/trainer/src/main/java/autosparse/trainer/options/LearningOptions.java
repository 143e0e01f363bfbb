package autosparse.trainer.options;

/**
 * How to learn.
 *
 * @param epochs passes over the training schedules
 * @param timeLimitMinutes when to stop at the latest; 0 for never
 * @param batch schedules of one matrix in one step, at most
 * @param matricesPerStep matrices whose towers run in one step
 * @param clip largest norm of the gradient; 0 for no clipping
 */
public record LearningOptions(
    LossName loss,
    int epochs,
    double timeLimitMinutes,
    int batch,
    int matricesPerStep,
    double learningRate,
    double weightDecay,
    double clip,
    long seed) {
  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public LearningOptions {
    Require.positive("--epochs", epochs);
    Require.notNegative("--time-limit", timeLimitMinutes);
    Require.that(batch >= 2, "--batch", batch, "2 or more: a ranking needs pairs");
    Require.positive("--matrices-per-step", matricesPerStep);
    Require.that(
        learningRate > 0 && learningRate <= 1, "--lr", learningRate, "a number above 0, up to 1");
    Require.notNegative("--weight-decay", weightDecay);
    Require.notNegative("--clip", clip);
  }
}
