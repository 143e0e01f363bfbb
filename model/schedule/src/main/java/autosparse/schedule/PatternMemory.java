package autosparse.schedule;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * A number of bytes of the heap for patterns. Matrices whose patterns fit are read into it; the
 * others stay on disk and are read by ranges of rows. Nothing is given back.
 */
public final class PatternMemory {
  /**
   * Of each so many bytes one is for a range of a pattern that stays on disk. Four ranges are there
   * at once at the most: two at work in a pass, what is counted of one, and what is made of it.
   */
  private static final int PER_RANGE = 16;

  private static final int RANGES = 4;

  private final long rangeBytes;
  private final long room;
  private final LongFunction<String> wayOut;

  /** Of the room, what is not taken yet. */
  private long left;

  /** Of what is left, bytes for matrices that are to come and cannot stay on disk. */
  private long reserved;

  /**
   * @param bytes of all patterns together, ranges of those on disk included
   */
  public PatternMemory(long bytes) {
    this(bytes, enough -> "give the JVM a larger -Xmx");
  }

  /**
   * @param bytes of all patterns together, ranges of those on disk included
   * @param wayOut what the user can do for this to have as many bytes as it is given
   */
  public PatternMemory(long bytes, LongFunction<String> wayOut) {
    this.rangeBytes = bytes / PER_RANGE;
    this.room = bytes - rangesBytes();
    this.wayOut = wayOut;
    this.left = room;
  }

  /** Bytes that one range of a pattern that is not held may take. */
  public long rangeBytes() {
    return rangeBytes;
  }

  /**
   * Takes the bytes of a matrix that is to be made, if it fits.
   *
   * @return whether it does
   */
  public boolean take(MatrixSize size) {
    boolean fits = size.patternBytes() <= left - reserved;
    left -= fits ? size.patternBytes() : 0;
    return fits;
  }

  /** Bytes of the ranges of patterns that stay on disk. */
  public long rangesBytes() {
    return RANGES * rangeBytes;
  }

  /**
   * Looks at the headers of all matrices that will be opened, in that order, and sets room aside
   * for those that cannot stay on disk. Nothing is read yet.
   *
   * @return the sizes of those that will be held
   * @throws InputException when a header is broken, or what cannot stay on disk does not fit
   */
  public List<MatrixSize> plan(List<Path> files) {
    List<MatrixSize> sizes = files.stream().map(MatrixReader::size).toList();
    long text = 0;
    for (int f = 0; f < sizes.size(); f++) {
      text += MatrixReader.isCsr(files.get(f)) ? 0 : sizes.get(f).patternBytes();
    }
    List<MatrixSize> held = new ArrayList<>();
    long forText = left;
    long forOthers = left - text;
    for (int f = 0; f < sizes.size(); f++) {
      long bytes = sizes.get(f).patternBytes();
      if (MatrixReader.isCsr(files.get(f))) {
        if (bytes <= forOthers) {
          held.add(sizes.get(f));
          forOthers -= bytes;
        }
      } else {
        if (bytes > forText) {
          throw tooLarge(files.get(f), sizes.get(f), forText, room - left + text);
        }
        held.add(sizes.get(f));
        forText -= bytes;
      }
    }
    reserved = text;
    return held;
  }

  /**
   * Reads a matrix, or opens its file where it does not fit.
   *
   * @return to be closed
   * @throws InputException when the file is broken, or does not fit and is no {@code .csr} file
   */
  public MatrixPattern open(Path file) {
    MatrixSize size = MatrixReader.size(file);
    long bytes = size.patternBytes();
    if (MatrixReader.isCsr(file)) {
      if (bytes > left - reserved) {
        return CsrFile.open(file, rangeBytes);
      }
    } else {
      if (bytes > left) {
        throw tooLarge(file, size, left, room - left + bytes);
      }
      reserved = Math.max(0, reserved - bytes);
    }
    left -= bytes;
    return MatrixReader.read(file);
  }

  /** The least that this has to be made of for so many bytes of room. */
  private static long bytesFor(long held) {
    return -Math.floorDiv(-held * PER_RANGE, (long) (PER_RANGE - RANGES));
  }

  /**
   * Text has its entries in any order, so what does not fit cannot be left on disk either.
   *
   * @param remaining bytes that it could have
   * @param held bytes that have to be held in all
   */
  private InputException tooLarge(Path file, MatrixSize size, long remaining, long held) {
    return new InputException(
        file
            + ": its pattern takes up to "
            + size.patternBytes()
            + " bytes of the heap, "
            + remaining
            + " are left for patterns, and only .csr files can stay on disk: "
            + wayOut.apply(bytesFor(held))
            + ", now or once to convert it: generate --kind resize --shape "
            + size.rows()
            + "x"
            + size.cols()
            + " --matrix "
            + file
            + " --out "
            + MatrixReader.name(file)
            + ".csr");
  }
}
