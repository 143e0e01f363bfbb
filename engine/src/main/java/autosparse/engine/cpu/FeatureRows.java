package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.memory.HostMemory;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * Rows of a feature tensor, moved to and from the native block of a worker's scratch memory.
 *
 * <p>What a move costs is the call, not the bytes: 8 ns for 8 floats as for 32 (JDK 17 and 25, AMD
 * Zen 4). So a run of adjacent rows moves at once, and rows of 8 floats, which the tower's narrow
 * layers have, move as four longs without a call (2 to 3 ns). A loop over the elements of a direct
 * buffer is no way out: 50 ns for 32 floats.
 */
final class FeatureRows {
  private static final int NARROW = 8;
  private static final int NARROW_LONGS = NARROW / 2;

  private final HostMemory memory;
  private final long offset;
  private final int channels;

  /**
   * @param features [N, C]
   */
  FeatureRows(Tensor features) {
    memory = (HostMemory) features.device().memory();
    offset = features.offset();
    channels = Math.toIntExact(features.dim(1));
  }

  /**
   * Lays the neighbours of a chunk of sites side by side: row i of the result is the neighbours'
   * features at the offsets of {@code union}, zeros where one is missing.
   *
   * @param to float index in the native block, a multiple of 8
   */
  void gather(
      NeighborTile tile,
      OffsetOrder slots,
      int position,
      int end,
      int union,
      Scratch scratch,
      int to) {
    if (channels == NARROW) {
      gatherNarrow(tile, slots, position, end, union, scratch, to);
    } else {
      gatherRuns(tile, slots, position, end, union, scratch, to);
    }
  }

  private void gatherNarrow(
      NeighborTile tile,
      OffsetOrder slots,
      int position,
      int end,
      int union,
      Scratch scratch,
      int to) {
    LongBuffer target = scratch.nativeLongs();
    int[] inputs = tile.inputs();
    int[] offsets = scratch.ints(5, 32);
    int[] places = scratch.ints(6, 32);
    int width = slots.places(union, offsets, places);
    int row = to / 2;
    for (int p = position; p < end; p++, row += width * NARROW_LONGS) {
      int site = tile.site(p);
      int mask = tile.mask(site);
      int next = tile.start(site);
      for (int i = 0; i < width; i++) {
        int at = row + places[i] * NARROW_LONGS;
        if ((mask >>> offsets[i] & 1) != 0) {
          long source = offset + 4L * NARROW * inputs[next++];
          LongBuffer window = memory.longs(source);
          int from = HostMemory.index8(source);
          long a = window.get(from);
          long b = window.get(from + 1);
          long c = window.get(from + 2);
          long d = window.get(from + 3);
          target.put(at, a);
          target.put(at + 1, b);
          target.put(at + 2, c);
          target.put(at + 3, d);
        } else {
          target.put(at, 0L);
          target.put(at + 1, 0L);
          target.put(at + 2, 0L);
          target.put(at + 3, 0L);
        }
      }
    }
  }

  private void gatherRuns(
      NeighborTile tile,
      OffsetOrder slots,
      int position,
      int end,
      int union,
      Scratch scratch,
      int to) {
    FloatBuffer target = scratch.nativeFloats();
    FloatBuffer zeros = scratch.zeros(slots.count() * channels);
    int[] inputs = tile.inputs();
    int[] offsets = scratch.ints(5, 32);
    int[] places = scratch.ints(6, 32);
    int[] found = scratch.ints(7, 33);
    int width = slots.places(union, offsets, places);
    int at = to;
    for (int p = position; p < end; p++) {
      int site = tile.site(p);
      int mask = tile.mask(site);
      int next = tile.start(site);
      for (int i = 0; i < width; i++) {
        found[places[i]] = (mask >>> offsets[i] & 1) != 0 ? inputs[next++] : -1;
      }
      for (int place = 0; place < width; ) {
        int first = found[place];
        int run = 1;
        if (first < 0) {
          while (place + run < width && found[place + run] < 0) {
            run++;
          }
          target.put(at, zeros, 0, run * channels);
        } else {
          while (place + run < width && found[place + run] == first + run) {
            run++;
          }
          long source = offset + 4L * channels * first;
          target.put(at, memory.floats(source), HostMemory.index4(source), run * channels);
        }
        place += run;
        at += run * channels;
      }
    }
  }

  /** Copies the rows of a chunk's own sites to the native block. */
  void load(NeighborTile tile, int position, int end, Scratch scratch, int to) {
    FloatBuffer target = scratch.nativeFloats();
    for (int p = position, at = to; p < end; p++, at += channels) {
      long row = offset + 4L * channels * (tile.from() + tile.site(p));
      target.put(at, memory.floats(row), HostMemory.index4(row), channels);
    }
  }

  /** Copies rows of the native block to the rows of a chunk's own sites. */
  void store(NeighborTile tile, int position, int end, Scratch scratch, int from) {
    FloatBuffer source = scratch.nativeFloats();
    for (int p = position, at = from; p < end; p++, at += channels) {
      long row = offset + 4L * channels * (tile.from() + tile.site(p));
      memory.floats(row).put(HostMemory.index4(row), source, at, channels);
    }
  }
}
