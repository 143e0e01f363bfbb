package autosparse.trainer.options;

import java.nio.file.Path;
import java.util.List;

/**
 * Everything {@code evaluate} was asked for.
 *
 * @param checkpoints safetensors files, judged together
 * @param data records, matrices, operators and split to judge on
 */
public record EvaluateOptions(List<Path> checkpoints, DataOptions data, DeviceOptions device) {
  public EvaluateOptions {
    checkpoints = List.copyOf(checkpoints);
  }
}
