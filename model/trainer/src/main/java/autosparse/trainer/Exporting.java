package autosparse.trainer;

import autosparse.costmodel.checkpoint.Safetensors;
import autosparse.costmodel.checkpoint.SafetensorsFile;
import autosparse.costmodel.checkpoint.StoredTensor;
import autosparse.costmodel.checkpoint.TensorInfo;
import autosparse.schedule.InputException;
import autosparse.trainer.options.ExportOptions;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/**
 * The work of {@code export}: copies a checkpoint's weights, and what the file says of the model,
 * to a file of their own.
 */
final class Exporting {
  /** What the names of weights begin with in a checkpoint, before their name in the model. */
  static final String WEIGHTS = "model.";

  private final ExportOptions options;
  private final Main main;

  Exporting(ExportOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    if (Files.exists(options.out()) && !options.force()) {
      throw new InputException("--out: " + options.out() + " exists; --force replaces it");
    }
    try (SafetensorsFile checkpoint = SafetensorsFile.open(options.checkpoint())) {
      List<StoredTensor> weights = new ArrayList<>();
      long numbers = 0;
      for (TensorInfo tensor : checkpoint.tensors()) {
        if (tensor.name().startsWith(WEIGHTS)) {
          String name = tensor.name().substring(WEIGHTS.length());
          weights.add(checkpoint.stored(tensor.name(), name));
          numbers += tensor.shape().elements();
        }
      }
      if (weights.isEmpty()) {
        throw new InputException(
            options.checkpoint() + ": no tensor named " + WEIGHTS + "*: not a run's checkpoint");
      }
      Safetensors.write(options.out(), checkpoint.metadata(), weights);
      main.print(
          String.format("%s: %d tensors, %,d parameters", options.out(), weights.size(), numbers));
    }
    return 0;
  }
}
