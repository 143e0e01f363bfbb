package autosparse.costmodel.training;

/**
 * What a step did.
 *
 * @param step number of the step, from 1
 * @param epoch epochs completed with it
 * @param loss mean over the step's tasks of the ranking loss
 * @param gradientNorm before clipping
 * @param rate learning rate that was used
 * @param schedules schedules that were ranked
 */
public record StepResult(
    long step, int epoch, double loss, double gradientNorm, double rate, int schedules) {}
