package autosparse.trainer.options;

import autosparse.schedule.Split;
import java.nio.file.Path;

/**
 * Everything {@code train} was asked for.
 *
 * @param out the run's folder
 * @param checkpointEvery epochs between checkpoints; 0 for a time between them
 * @param evaluateEvery epochs between evaluations
 * @param keepCheckpoints newest checkpoints to keep
 * @param baselineEpochs epochs of the features-mlp that is trained for comparison; 0 for none
 */
public record TrainOptions(
    DataOptions data,
    ModelOptions model,
    LearningOptions learning,
    DeviceOptions device,
    Path out,
    int checkpointEvery,
    int evaluateEvery,
    int keepCheckpoints,
    int baselineEpochs) {
  /** Throws {@link autosparse.schedule.InputException} for a value out of range. */
  public TrainOptions {
    Require.that(
        data.split() != Split.Kind.NONE,
        "--split",
        data.split().id(),
        "random or base: there must be something to train on");
    Require.notNegative("--checkpoint-every", checkpointEvery);
    Require.positive("--evaluate-every", evaluateEvery);
    Require.positive("--keep-checkpoints", keepCheckpoints);
    Require.notNegative("--baseline-epochs", baselineEpochs);
  }
}
