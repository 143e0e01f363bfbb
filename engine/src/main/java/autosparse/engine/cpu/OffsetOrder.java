package autosparse.engine.cpu;

import autosparse.engine.sparse.ConvolutionKernel;

/**
 * Order of a kernel's offsets in gathered rows: COLUMN fastest, unlike the offsets' numbers, since
 * neighbours in one row are often adjacent in storage and then move at once.
 */
final class OffsetOrder {
  /** Most offsets that a mask holds. */
  static final int MOST = 32;

  /** Where, in the work array of {@link #places}, a list of one entry a place has room. */
  static final int SOURCES = 2 * MOST;

  private final int[] offsetAt;

  OffsetOrder(ConvolutionKernel kernel) {
    int size = kernel.size();
    offsetAt = new int[kernel.offsets()];
    for (int place = 0; place < offsetAt.length; place++) {
      offsetAt[place] = place / size + size * (place % size);
    }
  }

  /** Number of the offset that stands at a place. */
  int offsetAt(int place) {
    return offsetAt[place];
  }

  int count() {
    return offsetAt.length;
  }

  /** Offsets in one row of the kernel. */
  int rowPlaces() {
    return (int) Math.round(Math.sqrt(offsetAt.length));
  }

  /** The mask of all offsets. */
  int all() {
    return (int) ((1L << offsetAt.length) - 1);
  }

  /**
   * The offsets of a mask in ascending number: element 2i is the i-th one's number, element 2i + 1
   * its place among them in this order.
   *
   * @return how many there are
   */
  int places(int union, int[] result) {
    int place = 0;
    for (int offset : offsetAt) {
      if ((union >>> offset & 1) != 0) {
        int i = Integer.bitCount(union & ((1 << offset) - 1));
        result[2 * i] = offset;
        result[2 * i + 1] = place++;
      }
    }
    return place;
  }

  /** The places, among all offsets, of the offsets of a mask, as bits. */
  int placeBits(int union) {
    int bits = 0;
    for (int place = 0; place < offsetAt.length; place++) {
      bits |= (union >>> offsetAt[place] & 1) << place;
    }
    return bits;
  }
}
