package autosparse.trainer;

import autosparse.trainer.options.RankOptions;

/** The work of {@code rank}. */
final class Ranking {
  private final RankOptions options;
  private final Main main;

  Ranking(RankOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    main.warn(options.checkpoint() + " cannot rank schedules in this build yet");
    return 1;
  }
}
