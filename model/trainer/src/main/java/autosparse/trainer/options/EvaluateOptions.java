package autosparse.trainer.options;

import java.nio.file.Path;

/**
 * Everything {@code evaluate} was asked for.
 *
 * @param checkpoint a safetensors file
 * @param data records, matrices, operators and split to judge on
 * @param seed of the split
 */
public record EvaluateOptions(Path checkpoint, DataOptions data, DeviceOptions device, long seed) {}
