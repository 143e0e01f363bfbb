package autosparse.engine.cpu;

import autosparse.engine.sparse.ConvolutionKernel;

/**
 * Order of a kernel's offsets in gathered rows: COLUMN fastest, unlike the offsets' numbers, since
 * neighbours in one row are often adjacent in storage and then move at once.
 */
final class OffsetOrder {
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

  /**
   * The offsets of a mask in ascending number, and the place of each among them in this order.
   *
   * @return how many there are
   */
  int places(int union, int[] offsets, int[] places) {
    int width = 0;
    for (int rest = union; rest != 0; rest &= rest - 1) {
      offsets[width++] = Integer.numberOfTrailingZeros(rest);
    }
    int place = 0;
    for (int offset : offsetAt) {
      if ((union >>> offset & 1) != 0) {
        places[Integer.bitCount(union & ((1 << offset) - 1))] = place++;
      }
    }
    return width;
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
