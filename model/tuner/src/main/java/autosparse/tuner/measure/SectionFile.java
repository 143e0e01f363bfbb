package autosparse.tuner.measure;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A file for the runner to map: a header of 64-bit words, then arrays at offsets that are multiples
 * of 64, all little-endian. Words 0 to 2 are a magic of eight letters, the version (1) and the
 * length of the file; the words that stand for arrays hold their offsets, 0 where there is none.
 */
final class SectionFile {
  private static final int ALIGNMENT = 64;
  private static final int BUFFER = 1 << 20;

  /** Puts {@code count} elements of an array into a buffer, from its beginning. */
  @FunctionalInterface
  private interface Elements {
    void put(ByteBuffer buffer, int from, int count);
  }

  /** An array of {@code length} elements of {@code width} bytes. */
  private record Section(int width, long length, Elements elements) {}

  private final ByteBuffer header;
  private final List<Section> sections = new ArrayList<>();
  private long end;

  /**
   * An empty file.
   *
   * @param magic eight ASCII letters
   * @param words of the header, with the first three
   */
  SectionFile(String magic, int words) {
    header = ByteBuffer.allocate(words * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    header.put(magic.getBytes(StandardCharsets.US_ASCII)).putLong(1).putLong(0);
    end = aligned(header.capacity());
  }

  private static long aligned(long offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** A word of the header. */
  SectionFile word(long value) {
    header.putLong(value);
    return this;
  }

  /** An array of floats, or null for none. */
  SectionFile floats(float[] array) {
    return array == null
        ? word(0)
        : section(
            Float.BYTES,
            array.length,
            (buffer, from, count) -> buffer.asFloatBuffer().put(array, from, count));
  }

  /** An array of 32-bit integers, or null for none. */
  SectionFile ints(int[] array) {
    return array == null
        ? word(0)
        : section(
            Integer.BYTES,
            array.length,
            (buffer, from, count) -> buffer.asIntBuffer().put(array, from, count));
  }

  /**
   * An array of integers, or null for none.
   *
   * @param wide whether they are stored as 64 bits; as 32 bits otherwise, which must be enough
   */
  SectionFile longs(long[] array, boolean wide) {
    if (array == null) {
      return word(0);
    }
    if (wide) {
      return section(
          Long.BYTES,
          array.length,
          (buffer, from, count) -> buffer.asLongBuffer().put(array, from, count));
    }
    return section(
        Integer.BYTES,
        array.length,
        (buffer, from, count) -> {
          for (int n = 0; n < count; n++) {
            buffer.putInt(n * Integer.BYTES, Math.toIntExact(array[from + n]));
          }
        });
  }

  private SectionFile section(int width, long length, Elements elements) {
    word(end);
    sections.add(new Section(width, length, elements));
    end = aligned(end + length * width);
    return this;
  }

  /** Length of the file in bytes. */
  long bytes() {
    return end;
  }

  /**
   * Writes the file; what exists under its name is replaced. A file that could not be written whole
   * is deleted.
   */
  void write(Path file) throws IOException {
    if (header.hasRemaining()) {
      throw new IllegalStateException(header.remaining() + " bytes of the header are not stated");
    }
    header.putLong(2 * Long.BYTES, end);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      writeTo(channel);
    } catch (IOException e) {
      Files.deleteIfExists(file);
      throw new IOException("cannot write " + file + " (" + end + " bytes): " + e.getMessage(), e);
    }
  }

  private void writeTo(FileChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    writeFully(channel, header.rewind(), 0);
    long offset = aligned(header.capacity());
    for (Section section : sections) {
      int each = BUFFER / section.width();
      for (int from = 0; from < section.length(); from += each) {
        int count = (int) Math.min(each, section.length() - from);
        section.elements().put(buffer.clear(), from, count);
        writeFully(
            channel,
            buffer.position(0).limit(count * section.width()),
            offset + (long) from * section.width());
      }
      offset = aligned(offset + section.length() * section.width());
    }
    if (channel.size() < end) {
      writeFully(channel, ByteBuffer.allocate(1), end - 1);
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes, long offset)
      throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }
}
