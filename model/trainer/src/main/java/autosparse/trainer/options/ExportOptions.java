package autosparse.trainer.options;

import java.nio.file.Path;

/**
 * Everything {@code export} was asked for.
 *
 * @param checkpoint a safetensors file of a run, with weights and the optimiser's state
 * @param out the file to write
 * @param force whether to replace it
 */
public record ExportOptions(Path checkpoint, Path out, boolean force) {}
