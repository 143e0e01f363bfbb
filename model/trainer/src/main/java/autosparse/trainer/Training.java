package autosparse.trainer;

import autosparse.trainer.options.TrainOptions;
import autosparse.trainer.run.RunFolder;
import java.util.Map;

/** The work of {@code train}. */
final class Training {
  private final TrainOptions options;
  private final Map<String, Object> resolved;
  private final RunFolder folder;
  private final RunFolder.Mode mode;
  private final Main main;

  Training(
      TrainOptions options,
      Map<String, Object> resolved,
      RunFolder folder,
      RunFolder.Mode mode,
      Main main) {
    this.options = options;
    this.resolved = resolved;
    this.folder = folder;
    this.mode = mode;
    this.main = main;
  }

  int run() {
    if (mode != RunFolder.Mode.RESUME) {
      folder.writeConfig(resolved);
    }
    main.warn(options.model().model() + " cannot be trained by this build yet");
    return 1;
  }
}
