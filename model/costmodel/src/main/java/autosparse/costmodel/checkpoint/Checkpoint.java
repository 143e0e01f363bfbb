package autosparse.costmodel.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;

/**
 * A checkpoint on disk, found whole.
 *
 * @param step training step it was taken after
 * @param tensors the safetensors file: weights and what only training needs of tensors
 * @param state what else training needs to go on: random state, data cursor, counters
 */
public record Checkpoint(long step, Path tensors, JsonNode state) {}
