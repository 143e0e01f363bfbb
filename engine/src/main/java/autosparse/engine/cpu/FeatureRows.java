package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.memory.HostMemory;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * Rows of a feature tensor, moved to and from the native block of a worker's scratch memory.
 *
 * <p>What a move costs is more the call than the bytes (4 ns and up on JDK 17 and 25, AMD Zen 4),
 * so a run of adjacent rows moves at once. A loop over the elements of a direct buffer is no way
 * out: it takes 50 ns for 32 floats.
 */
final class FeatureRows {
  private static final int NARROW = 8;
  private static final int NARROW_LONGS = NARROW / 2;

  private final HostMemory memory;
  private final long offset;
  private final int channels;

  /** The window that holds the whole tensor, as one nearly always does; else null. */
  private final FloatBuffer floats;

  private final LongBuffer longs;

  /**
   * @param features [N, C]
   */
  FeatureRows(Tensor features) {
    memory = (HostMemory) features.device().memory();
    offset = features.offset();
    channels = Math.toIntExact(features.dim(1));
    boolean oneWindow = features.bytes() <= HostMemory.WINDOW_STEP;
    floats = oneWindow ? memory.floats(offset) : null;
    longs = oneWindow ? memory.longs(offset) : null;
  }

  /**
   * Lays the neighbours of a chunk of sites side by side: row i of the result is the neighbours'
   * features at the offsets of {@code union}, zeros where one is missing.
   */
  void gather(
      NeighborTile tile, OffsetOrder places, int position, int end, int union, Scratch scratch) {
    int[] work = scratch.ints(5, 3 * OffsetOrder.MOST);
    int width = places.places(union, work);
    if (channels == NARROW && !tile.hasAdjacentNeighbors()) {
      gatherNarrow(tile, position, end, width, work, scratch);
      return;
    }
    FloatBuffer zeros = scratch.zeros(width * channels);
    FloatBuffer target = scratch.nativeFloats();
    int rowPlaces = union == places.all() ? places.rowPlaces() : width;
    int at = 0;
    for (int p = position; p < end; p++, at += width * channels) {
      int site = tile.site(p);
      if (rowPlaces < width && tile.mask(site) == union) {
        gatherFullSite(tile, site, rowPlaces, target, at);
      } else {
        gatherSite(tile, site, width, work, target, at, zeros);
      }
    }
  }

  /** A site with every neighbour: those of one kernel row are adjacent, or not, as a whole. */
  private void gatherFullSite(
      NeighborTile tile, int site, int rowPlaces, FloatBuffer target, int to) {
    int[] inputs = tile.inputs();
    int start = tile.start(site);
    int at = to;
    for (int row = 0; row < rowPlaces; row++) {
      int first = inputs[start + row];
      int last = inputs[start + row + (rowPlaces - 1) * rowPlaces];
      if (last - first == rowPlaces - 1) {
        copy(first, rowPlaces, target, at);
        at += rowPlaces * channels;
      } else {
        for (int i = 0; i < rowPlaces; i++, at += channels) {
          copy(inputs[start + row + i * rowPlaces], 1, target, at);
        }
      }
    }
  }

  private void gatherSite(
      NeighborTile tile,
      int site,
      int width,
      int[] work,
      FloatBuffer target,
      int to,
      FloatBuffer zeros) {
    tile.listSources(site, width, work);
    int at = to;
    int run;
    for (int place = 0; place < width; place += run, at += run * channels) {
      int first = work[OffsetOrder.SOURCES + place];
      run = 1;
      if (first == NeighborTile.MISSING) {
        while (place + run < width
            && work[OffsetOrder.SOURCES + place + run] == NeighborTile.MISSING) {
          run++;
        }
        target.put(at, zeros, 0, run * channels);
      } else {
        while (place + run < width && work[OffsetOrder.SOURCES + place + run] == first + run) {
          run++;
        }
        copy(first, run, target, at);
      }
    }
  }

  private void copy(int row, int rows, FloatBuffer target, int to) {
    if (floats != null) {
      target.put(to, floats, HostMemory.index4(offset) + channels * row, rows * channels);
      return;
    }
    long source = offset + 4L * channels * row;
    target.put(to, memory.floats(source), HostMemory.index4(source), rows * channels);
  }

  /** Rows of {@link #NARROW} floats that are seldom adjacent, by way of a heap array. */
  private void gatherNarrow(
      NeighborTile tile, int position, int end, int width, int[] work, Scratch scratch) {
    int size = (end - position) * width * NARROW_LONGS;
    long[] rows = scratch.longs(1, size);
    int[] inputs = tile.inputs();
    int first = HostMemory.index8(offset);
    int row = 0;
    for (int p = position; p < end; p++, row += width * NARROW_LONGS) {
      int site = tile.site(p);
      int mask = tile.mask(site);
      int next = tile.start(site);
      for (int i = 0; i < width; i++) {
        int at = row + work[2 * i + 1] * NARROW_LONGS;
        if ((mask >>> work[2 * i] & 1) != 0) {
          int input = inputs[next++];
          LongBuffer window = longs;
          int from = first + NARROW_LONGS * input;
          if (window == null) {
            long source = offset + 4L * NARROW * input;
            window = memory.longs(source);
            from = HostMemory.index8(source);
          }
          rows[at] = window.get(from);
          rows[at + 1] = window.get(from + 1);
          rows[at + 2] = window.get(from + 2);
          rows[at + 3] = window.get(from + 3);
        } else {
          rows[at] = 0;
          rows[at + 1] = 0;
          rows[at + 2] = 0;
          rows[at + 3] = 0;
        }
      }
    }
    scratch.nativeLongs().put(0, rows, 0, size);
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
