package autosparse.engine.cpu;

import autosparse.engine.sparse.NeighborMap;
import java.util.Arrays;

/**
 * The neighbours of a range of sites in a worker's heap arrays, and the order in which the sites
 * are best computed.
 *
 * <p>Where nearly all neighbours are there, sites are computed in their own order. Where many are
 * missing, a stable counting sort puts sites with the same neighbourhood mask side by side: a chunk
 * of them then needs no more offsets than its sites have neighbours.
 */
final class NeighborTile {
  /** Stands for a neighbour that is not there. */
  static final int MISSING = -1;

  /** Sites of one tile; large enough that sites of one mask fill chunks. */
  static final int SITES = 2048;

  /** Fraction of neighbours from which on sorting does not pay for moving the results. */
  private static final double DENSE = .75;

  /** A chunk of fewer sites takes in a site that has other neighbours than its own. */
  private static final int SMALL_CHUNK = 32;

  private static final int BIN_BITS = 9;

  private final long from;
  private final int count;
  private final int offsets;
  private final int pairs;
  private final boolean adjacent;
  private final int[] masks;
  private final int[] starts;
  private final int[] inputs;
  private final int[] order;

  /** Reads {@code count} (at most {@link #SITES}) sites of the map from {@code from} on. */
  NeighborTile(NeighborMap map, long from, int count, Scratch scratch) {
    this.from = from;
    this.count = count;
    offsets = map.kernel().offsets();
    adjacent =
        map.kernel().dilation() == 1 && map.inputSites().stride() <= map.outputSites().stride();
    masks = scratch.ints(0, SITES);
    map.masks().read(from, masks, 0, count);
    long[] first = scratch.longs(0, 1);
    map.pointers().read(from, first, 0, 1);
    starts = scratch.ints(1, SITES);
    int sum = 0;
    for (int i = 0; i < count; i++) {
      starts[i] = sum;
      sum += Integer.bitCount(masks[i]);
    }
    pairs = sum;
    inputs = scratch.ints(2, SITES * offsets);
    map.inputs().read(first[0], inputs, 0, pairs);
    order = scratch.ints(3, SITES);
    if (isDense()) {
      for (int i = 0; i < count; i++) {
        order[i] = i;
      }
    } else {
      sortByMask(scratch.ints(4, (1 << BIN_BITS) + 1));
    }
  }

  private void sortByMask(int[] bins) {
    Arrays.fill(bins, 0, (1 << BIN_BITS) + 1, 0);
    for (int i = 0; i < count; i++) {
      bins[bin(masks[i]) + 1]++;
    }
    for (int b = 0; b < 1 << BIN_BITS; b++) {
      bins[b + 1] += bins[b];
    }
    for (int i = 0; i < count; i++) {
      order[bins[bin(masks[i])]++] = i;
    }
  }

  /** The mask itself up to 3×3; a larger one is folded, which keeps equal masks together. */
  private static int bin(int mask) {
    return (mask ^ (mask >>> BIN_BITS) ^ (mask >>> (2 * BIN_BITS))) & ((1 << BIN_BITS) - 1);
  }

  /** Whether sites keep their own order and every offset is computed. */
  boolean isDense() {
    return pairs >= DENSE * offsets * count;
  }

  int count() {
    return count;
  }

  /** Number of the tile's first site in the map. */
  long from() {
    return from;
  }

  /** Site of the tile (from 0) that stands at a position of the order. */
  int site(int position) {
    return order[position];
  }

  int mask(int site) {
    return masks[site];
  }

  /** Index in {@link #inputs} of a site's first neighbour. */
  int start(int site) {
    return starts[site];
  }

  /** Input sites, in ascending offset, site after site. */
  int[] inputs() {
    return inputs;
  }

  /** Whether neighbours in one kernel row, if all there, are adjacent in storage. */
  boolean hasAdjacentNeighbors() {
    return adjacent;
  }

  /**
   * Lists a site's input, or {@link #MISSING}, at each place of a chunk's offsets.
   *
   * @param work offsets and places from {@link OffsetOrder#places}, then room for the list
   */
  void listSources(int site, int width, int[] work) {
    int mask = masks[site];
    int next = starts[site];
    if (Integer.bitCount(mask) == width) { // of a chunk's offsets it has all
      for (int i = 0; i < width; i++) {
        work[OffsetOrder.SOURCES + work[2 * i + 1]] = inputs[next + i];
      }
      return;
    }
    for (int i = 0; i < width; i++) {
      boolean there = (mask >>> work[2 * i] & 1) != 0;
      work[OffsetOrder.SOURCES + work[2 * i + 1]] = there ? inputs[next++] : MISSING;
    }
  }

  /** End of the chunk that starts at {@code position} and has at most {@code most} sites. */
  int chunkEnd(int position, int most) {
    int end = Math.min(count, position + most);
    if (isDense()) {
      return end;
    }
    int union = masks[order[position]];
    for (int at = position + 1; at < end; at++) {
      int mask = masks[order[at]];
      if ((mask & ~union) != 0 && at - position >= SMALL_CHUNK) {
        return at;
      }
      union |= mask;
    }
    return end;
  }

  /** Offsets that some site of a chunk has a neighbour at. */
  int union(int position, int end) {
    if (isDense()) {
      return (int) ((1L << offsets) - 1);
    }
    int union = 0;
    for (int at = position; at < end; at++) {
      union |= masks[order[at]];
    }
    return union;
  }
}
