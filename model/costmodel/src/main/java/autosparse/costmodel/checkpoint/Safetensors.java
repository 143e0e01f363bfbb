package autosparse.costmodel.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * Writes safetensors files; {@link SafetensorsFile} reads them.
 *
 * <p>A file is the header's length (8 bytes, little-endian), the header in JSON, then the tensors'
 * bytes, row-major and little-endian, without holes. The same tensors and metadata give the same
 * bytes. Format: <a href="https://github.com/huggingface/safetensors">huggingface/safetensors</a>.
 */
public final class Safetensors {
  /** Longest header that the format allows. */
  public static final long MAX_HEADER_BYTES = 100_000_000;

  /** Bytes of one piece of a tensor while it is copied; a multiple of every element size. */
  static final int CHUNK_BYTES = 1 << 20;

  private Safetensors() {}

  /**
   * Writes a file whole or not at all.
   *
   * @param metadata free text by key
   * @param tensors in any order, no two of one name
   * @return CRC-32C of the whole file
   * @throws FileWriteException if the file cannot be written; what was there before stays
   */
  public static long write(Path file, Map<String, String> metadata, List<StoredTensor> tensors) {
    CRC32C checksum = new CRC32C();
    AtomicFiles.write(
        file, out -> write(new CheckedOutputStream(out, checksum), metadata, tensors));
    return checksum.getValue();
  }

  /** Writes a file's bytes to a stream, which stays open. */
  public static void write(
      OutputStream out, Map<String, String> metadata, List<StoredTensor> tensors)
      throws IOException {
    requireDistinctNames(tensors);
    SafetensorsHeader layout = SafetensorsHeader.layOut(metadata, tensors);
    byte[] header = layout.toBytes();
    if (header.length > MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "header of " + header.length + " bytes, the format allows " + MAX_HEADER_BYTES);
    }
    byte[] chunk = new byte[CHUNK_BYTES];
    ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length);
    out.write(chunk, 0, Long.BYTES);
    out.write(header);
    Iterator<TensorInfo> placed = layout.tensors().iterator();
    for (StoredTensor tensor : SafetensorsHeader.inFileOrder(tensors)) {
      writeElements(out, tensor, placed.next().bytes(), chunk);
    }
  }

  private static void writeElements(OutputStream out, StoredTensor tensor, long bytes, byte[] chunk)
      throws IOException {
    int width = tensor.dtype().bytes();
    for (long done = 0; done < bytes; done += CHUNK_BYTES) {
      int count = (int) Math.min(CHUNK_BYTES, bytes - done);
      ByteBuffer target = ByteBuffer.wrap(chunk, 0, count).order(ByteOrder.LITTLE_ENDIAN);
      tensor.elements().fill(done / width, target);
      out.write(chunk, 0, count);
    }
  }

  private static void requireDistinctNames(List<StoredTensor> tensors) {
    Set<String> names = new HashSet<>();
    for (StoredTensor tensor : tensors) {
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors named '" + tensor.name() + "'");
      }
    }
  }
}
