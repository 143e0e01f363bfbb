package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.checkpoint.Safetensors;
import autosparse.costmodel.checkpoint.SafetensorsFile;
import autosparse.costmodel.checkpoint.StoredTensor;
import autosparse.costmodel.checkpoint.TensorInfo;
import autosparse.schedule.InputException;
import autosparse.trainer.options.ExportOptions;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The work of {@code export}: copies a checkpoint's weights, and what the file says of the model,
 * to a file of their own.
 */
final class Exporting {
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
    ModelConfig config = ModelFile.config(options.checkpoint());
    try (SafetensorsFile checkpoint = SafetensorsFile.open(options.checkpoint())) {
      List<StoredTensor> weights = new ArrayList<>();
      long numbers = 0;
      for (TensorInfo tensor : checkpoint.tensors()) {
        if (!tensor.name().startsWith(ModelFile.OPTIMIZER)) {
          weights.add(checkpoint.stored(tensor.name(), tensor.name()));
          numbers += tensor.shape().elements();
        }
      }
      Safetensors.write(options.out(), checkpoint.metadata(), weights);
      main.print(
          String.format(
              Locale.ROOT,
              "%s: %s, %d tensors, %,d parameters",
              options.out(),
              config.kind(),
              weights.size(),
              numbers));
    }
    return 0;
  }
}
