package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.memory.HostMemory;
import autosparse.engine.sparse.NeighborMap;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * Lays the neighbours' feature rows of a range of outputs side by side: row o of the result is
 * [x[neighbour(o, 0)], …, x[neighbour(o, K−1)]], zero where a neighbour is missing.
 *
 * <p>Rows of an even number of channels move as longs, two floats at a time.
 */
final class RowGather {
  private final HostMemory memory;
  private final long offset;
  private final int channels;
  private final NeighborMap map;

  /**
   * @param x [N_in, C], contiguous
   */
  RowGather(Tensor x, NeighborMap map) {
    this.memory = (HostMemory) x.device().memory();
    this.offset = x.offset();
    this.channels = (int) x.dim(1);
    this.map = map;
  }

  /**
   * Gathers for {@code count} outputs from {@code from} on into the scratch memory's native block,
   * from float {@code at} on ({@code at} even).
   */
  void gather(long from, int count, Scratch scratch, int at) {
    int offsets = map.kernel().offsets();
    int[] masks = scratch.ints(0, count);
    map.masks().read(from, masks, 0, count);
    long[] first = scratch.longs(0, 1);
    map.pointers().read(from, first, 0, 1);
    int pairs = 0;
    for (int i = 0; i < count; i++) {
      pairs += Integer.bitCount(masks[i]);
    }
    int[] inputs = scratch.ints(1, count * offsets);
    map.inputs().read(first[0], inputs, 0, pairs);
    if (channels % 2 == 0) {
      gatherLongs(count, masks, inputs, offsets, scratch.nativeLongs(), at / 2);
    } else {
      gatherFloats(count, masks, inputs, offsets, scratch.nativeFloats(), at);
    }
  }

  private void gatherLongs(
      int count, int[] masks, int[] inputs, int offsets, LongBuffer target, int start) {
    int length = channels / 2;
    int to = start;
    int pair = 0;
    for (int i = 0; i < count; i++) {
      int mask = masks[i];
      for (int k = 0; k < offsets; k++) {
        if ((mask >>> k & 1) != 0) {
          long at = offset + 8L * length * inputs[pair++];
          LongBuffer source = memory.longs(at);
          int row = HostMemory.index8(at);
          for (int j = 0; j < length; j++) {
            target.put(to + j, source.get(row + j));
          }
        } else {
          for (int j = 0; j < length; j++) {
            target.put(to + j, 0L);
          }
        }
        to += length;
      }
    }
  }

  private void gatherFloats(
      int count, int[] masks, int[] inputs, int offsets, FloatBuffer target, int start) {
    int to = start;
    int pair = 0;
    for (int i = 0; i < count; i++) {
      int mask = masks[i];
      for (int k = 0; k < offsets; k++) {
        if ((mask >>> k & 1) != 0) {
          long at = offset + 4L * channels * inputs[pair++];
          FloatBuffer source = memory.floats(at);
          int row = HostMemory.index4(at);
          for (int j = 0; j < channels; j++) {
            target.put(to + j, source.get(row + j));
          }
        } else {
          for (int j = 0; j < channels; j++) {
            target.put(to + j, 0f);
          }
        }
        to += channels;
      }
    }
  }
}
