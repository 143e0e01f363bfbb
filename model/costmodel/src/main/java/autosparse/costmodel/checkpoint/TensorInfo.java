package autosparse.costmodel.checkpoint;

import autosparse.engine.DType;
import autosparse.engine.Shape;

/**
 * What a safetensors header says of one tensor.
 *
 * @param begin first byte, counted from the end of the header
 * @param end one past the last byte
 */
public record TensorInfo(String name, DType dtype, Shape shape, long begin, long end) {
  /** Size in bytes. */
  public long bytes() {
    return end - begin;
  }
}
