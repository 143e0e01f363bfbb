package autosparse.trainer.options;

import java.nio.file.Path;

/**
 * Everything {@code evaluate} was asked for.
 *
 * @param checkpoint a safetensors file
 * @param data records, matrices, operators and split to judge on
 */
public record EvaluateOptions(Path checkpoint, DataOptions data, DeviceOptions device) {}
