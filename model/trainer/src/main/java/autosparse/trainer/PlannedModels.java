package autosparse.trainer;

import autosparse.engine.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Saved models that score together: all are planned before the first is loaded, and they are on the
 * device one after another.
 */
final class PlannedModels implements AutoCloseable {
  private final List<PlannedModel> models = new ArrayList<>();

  private PlannedModels() {}

  /**
   * Plans for the models in some files; nothing is placed on the device.
   *
   * @throws autosparse.schedule.InputException when a file is no model of ours
   */
  static PlannedModels of(List<Path> files, Device device) {
    PlannedModels planned = new PlannedModels();
    try {
      files.forEach(file -> planned.models.add(PlannedModel.of(file, device)));
    } catch (RuntimeException e) {
      planned.close();
      throw e;
    }
    return planned;
  }

  List<PlannedModel> all() {
    return models;
  }

  @Override
  public void close() {
    models.forEach(PlannedModel::close);
  }
}
