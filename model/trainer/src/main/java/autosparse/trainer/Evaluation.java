package autosparse.trainer;

import autosparse.trainer.options.EvaluateOptions;

/** The work of {@code evaluate}. */
final class Evaluation {
  private final EvaluateOptions options;
  private final Main main;

  Evaluation(EvaluateOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    main.warn(options.checkpoint() + " cannot be evaluated by this build yet");
    return 1;
  }
}
