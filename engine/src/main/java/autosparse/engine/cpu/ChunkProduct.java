package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.memory.HostMemory;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The two products of a chunk of sites with its gathered neighbours G [m, (place, from)]: G times
 * weights, and the sites' own rows, transposed, times G.
 *
 * <p>The native block of the scratch memory holds G, then the weights of the chunk's offsets, then
 * the chunk's own rows.
 */
final class ChunkProduct {
  private final FeatureRows gathered;
  private final FeatureRows results;
  private final Tensor weights;
  private final Tensor target;
  private final OffsetOrder places;
  private final int from;
  private final int to;
  private final int chunkSites;

  /**
   * @param source [N, from], what is gathered
   * @param weights [(place, from), to], or null when only {@link #accumulate} is used
   * @param target [sites, to], or null
   */
  ChunkProduct(Tensor source, Tensor weights, OffsetOrder places, int from, int to, Tensor target) {
    gathered = new FeatureRows(source);
    results = target == null ? null : new FeatureRows(target);
    this.weights = weights;
    this.target = target;
    this.places = places;
    this.from = from;
    this.to = to;
    chunkSites = TileGemm.tileRows(to, places.count() * from);
  }

  /** Most sites of a chunk. */
  int chunkSites() {
    return chunkSites;
  }

  private int weightsAt() {
    return (chunkSites * places.count() * from + 7) / 8 * 8;
  }

  private int rowsAt() {
    return weightsAt() + (places.count() * from * to + 7) / 8 * 8;
  }

  /** Fills G for a chunk. */
  void gather(NeighborTile tile, int position, int end, Scratch scratch) {
    scratch.reserveNative(rowsAt() + chunkSites * to);
    gathered.gather(tile, places, position, end, tile.union(position, end), scratch);
  }

  /** target = max(0, G·weights) or G·weights, for the chunk whose G was gathered last. */
  void multiply(NeighborTile tile, int position, int end, boolean relu, Scratch scratch) {
    int count = end - position;
    int union = tile.union(position, end);
    int depth = Integer.bitCount(union) * from;
    if (tile.isDense()) {
      long first = (tile.from() + position) * to;
      TileGemm.multiply(
          count,
          to,
          depth,
          scratch.nativePointer(),
          weights.floatPointer(0),
          target.floatPointer(first));
      if (relu) {
        TileOutput.rectify(target, first, count * to, scratch);
      }
      return;
    }
    if (depth == 0) {
      scratch.nativeFloats().put(rowsAt(), scratch.zeros(count * to), 0, count * to);
    } else {
      TileGemm.multiply(
          count,
          to,
          depth,
          scratch.nativePointer(),
          chunkWeights(union, scratch),
          scratch.nativePointer(rowsAt()));
      if (relu) {
        TileOutput.rectifyNative(scratch, rowsAt(), count * to);
      }
    }
    results.store(tile, position, end, scratch, rowsAt());
  }

  /** The weights of a chunk's offsets, without gaps. */
  private FloatPointer chunkWeights(int union, Scratch scratch) {
    if (Integer.bitCount(union) == places.count()) {
      return weights.floatPointer(0);
    }
    FloatBuffer block = scratch.nativeFloats();
    int at = weightsAt();
    HostMemory memory = (HostMemory) weights.device().memory();
    int placeBits = places.placeBits(union);
    while (placeBits != 0) {
      int place = Integer.numberOfTrailingZeros(placeBits);
      int run = Integer.numberOfTrailingZeros(~(placeBits >>> place));
      long source = weights.offset() + 4L * place * from * to;
      block.put(at, memory.floats(source), HostMemory.index4(source), run * from * to);
      at += run * from * to;
      placeBits &= ~(((1 << run) - 1) << place);
    }
    return scratch.nativePointer(weightsAt());
  }

  /**
   * partial [to, (place, from)] += own rowsᵀ·G, for the chunk whose G was gathered last.
   *
   * @param own [sites, to]
   */
  void accumulate(
      NeighborTile tile,
      int position,
      int end,
      Tensor own,
      FeatureRows ownRows,
      FloatPointer partial,
      Scratch scratch) {
    int count = end - position;
    int placeBits = places.placeBits(tile.union(position, end));
    int rowG = Integer.bitCount(placeBits) * from;
    FloatPointer rows;
    if (tile.isDense()) {
      rows = own.floatPointer((tile.from() + position) * to);
    } else {
      ownRows.load(tile, position, end, scratch, rowsAt());
      rows = scratch.nativePointer(rowsAt());
    }
    int column = 0;
    while (placeBits != 0) {
      int place = Integer.numberOfTrailingZeros(placeBits);
      int run = Integer.numberOfTrailingZeros(~(placeBits >>> place));
      TileGemm.accumulateTransposed(
          to,
          run * from,
          count,
          rows,
          scratch.nativePointer(column),
          rowG,
          new FloatPointer(partial).position(partial.position() + (long) place * from),
          places.count() * from);
      column += run * from;
      placeBits &= ~(((1 << run) - 1) << place);
    }
  }
}
