package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Segments;

/**
 * How attention over packed sequences is cut, by the shapes alone. A unit is a group of heads of
 * one sequence: all heads of a short sequence, single heads of a long one.
 *
 * @param starts first token of each sequence, then the number of tokens
 * @param firstUnits first unit of each sequence, then the number of units
 */
record AttentionLayout(long[] starts, long[] firstUnits, long tokens, int heads, int channels) {
  /** Scores that one unit, or one block of a long sequence's queries, holds at most. */
  private static final long SCORES = 1 << 14;

  /** Tokens of a tile of short sequences, on average. */
  private static final long TILE_TOKENS = 128;

  static AttentionLayout of(String operator, Tensor offsets, int heads, Tensor out) {
    long[] starts = Segments.read(operator, offsets, out.dim(0));
    long[] firstUnits = new long[starts.length];
    for (int s = 0; s + 1 < starts.length; s++) {
      long groups = Tiles.count(heads, headsPerUnit(starts[s + 1] - starts[s], heads));
      firstUnits[s + 1] = firstUnits[s] + groups;
    }
    return new AttentionLayout(starts, firstUnits, out.dim(0), heads, Math.toIntExact(out.dim(1)));
  }

  private static int headsPerUnit(long length, int heads) {
    return (int) Math.max(1, Math.min(heads, SCORES / Math.max(1, length * length)));
  }

  long units() {
    return firstUnits[firstUnits.length - 1];
  }

  int unitsPerTile() {
    return (int) Math.max(1, Math.min(units(), TILE_TOKENS * units() / Math.max(1, tokens)));
  }

  int headSize() {
    return channels / heads;
  }

  float scale() {
    return (float) (1 / Math.sqrt(headSize()));
  }

  /**
   * One unit.
   *
   * @param from first token
   * @param length tokens of the sequence
   * @param firstHead first head of the group
   * @param headCount heads of the group
   * @param block queries worked on at a time; the whole sequence unless the group is one head
   */
  record Unit(long from, int length, int firstHead, int headCount, int block) {
    /** Scores of the largest block. */
    int scores() {
      return Math.multiplyExact(length, headCount * block);
    }
  }

  /** The unit with a number; {@code sequence} is the sequence that it belongs to. */
  Unit unit(long number, int sequence) {
    int length = Math.toIntExact(starts[sequence + 1] - starts[sequence]);
    int perUnit = headsPerUnit(length, heads);
    int firstHead = (int) (number - firstUnits[sequence]) * perUnit;
    int headCount = Math.min(perUnit, heads - firstHead);
    int block = length;
    if ((long) length * length > SCORES) {
      block = (int) Math.max(1, SCORES / length);
    }
    return new Unit(starts[sequence], length, firstHead, headCount, block);
  }

  /** The sequence that a unit belongs to. */
  int sequenceOf(long number) {
    int found = java.util.Arrays.binarySearch(firstUnits, number);
    return found >= 0 ? found : -found - 2; // every sequence has a unit: first units are distinct
  }
}
