package autosparse.costmodel.checkpoint;

import autosparse.engine.BFloat16;
import autosparse.engine.DType;
import autosparse.engine.Shape;
import autosparse.engine.Tensor;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An open safetensors file. Opening it checks the whole header against the file; values are read
 * when they are asked for, piece by piece.
 *
 * <p>Every failure, from a file cut short to a tensor of another model, is an {@link
 * InputException} of one line that names the file and the field.
 */
public final class SafetensorsFile implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;
  private final long dataStart;
  private final SafetensorsHeader header;
  private final Map<String, TensorInfo> byName = new LinkedHashMap<>();

  private SafetensorsFile(
      Path file, FileChannel channel, long dataStart, SafetensorsHeader header) {
    this.file = file;
    this.channel = channel;
    this.dataStart = dataStart;
    this.header = header;
    for (TensorInfo tensor : header.tensors()) {
      byName.put(tensor.name(), tensor);
    }
  }

  /** Takes in what happens to one piece of a tensor. */
  @FunctionalInterface
  private interface Piece {
    void accept(long from, ByteBuffer bytes, int count);
  }

  /**
   * Opens a file.
   *
   * @throws InputException if it cannot be read or is no valid safetensors file
   */
  public static SafetensorsFile open(Path file) {
    if (Files.isDirectory(file)) {
      throw new InputException(file + ": is a folder, expected a safetensors file");
    }
    FileChannel channel = null;
    SafetensorsFile opened = null;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      opened = parse(file, channel);
      return opened;
    } catch (IOException e) {
      throw unreadable(file, e);
    } finally {
      if (opened == null && channel != null) {
        closeQuietly(channel);
      }
    }
  }

  private static SafetensorsFile parse(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new InputException(
          file + ": " + size + " bytes, expected a header's length in the first 8: cut short");
    }
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(file, channel, 0, length);
    long headerBytes = length.getLong(0);
    if (headerBytes < 0 || headerBytes > Safetensors.MAX_HEADER_BYTES) {
      throw new InputException(
          file
              + ": header length "
              + Long.toUnsignedString(headerBytes)
              + ", expected at most "
              + Safetensors.MAX_HEADER_BYTES
              + ": not a safetensors file");
    }
    long dataStart = Long.BYTES + headerBytes;
    if (dataStart > size) {
      throw new InputException(
          file + ": header of " + headerBytes + " bytes in a file of " + size + ": cut short");
    }
    byte[] bytes = new byte[(int) headerBytes];
    readFully(file, channel, Long.BYTES, ByteBuffer.wrap(bytes));
    return new SafetensorsFile(
        file, channel, dataStart, SafetensorsHeader.parse(file, bytes, size - dataStart));
  }

  public Path path() {
    return file;
  }

  /** The {@code __metadata__} map, sorted by key. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** The tensors in the order of their bytes. */
  public List<TensorInfo> tensors() {
    return header.tensors();
  }

  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * The tensor of a name, which must have this type and shape.
   *
   * @throws InputException if it is missing or different: the file is of another model
   */
  public TensorInfo require(String name, DType dtype, Shape shape) {
    TensorInfo info = byName.get(name);
    if (info == null) {
      throw new InputException(
          file + ": no tensor '" + InputException.quote(name) + "': the file is of another model");
    }
    if (info.dtype() != dtype || !info.shape().equals(shape)) {
      throw new InputException(
          file
              + ": tensor '"
              + InputException.quote(name)
              + "' is "
              + info.dtype()
              + " "
              + info.shape()
              + ", the model expects "
              + dtype
              + " "
              + shape);
    }
    return info;
  }

  /**
   * Checks that the file has no tensor besides these.
   *
   * @throws InputException naming the first one too many
   */
  public void requireNoOthers(Collection<String> names) {
    Set<String> known = new HashSet<>(names);
    for (TensorInfo tensor : header.tensors()) {
      if (!known.contains(tensor.name())) {
        throw new InputException(
            file
                + ": tensor '"
                + InputException.quote(tensor.name())
                + "' is none of the model's: the file is of another model");
      }
    }
  }

  /**
   * Reads a tensor into one of the engine's of the same type and shape.
   *
   * @throws InputException if the file has no such tensor
   */
  public void readInto(String name, Tensor target) {
    TensorInfo info = require(name, target.dtype(), target.shape());
    Piece copy =
        switch (info.dtype()) {
          case F32 ->
              (from, bytes, count) -> {
                float[] values = new float[count];
                bytes.asFloatBuffer().get(values);
                target.write(from, values, 0, count);
              };
          case F64 ->
              (from, bytes, count) -> {
                double[] values = new double[count];
                bytes.asDoubleBuffer().get(values);
                target.write(from, values, 0, count);
              };
          case BF16 ->
              (from, bytes, count) -> {
                float[] values = new float[count];
                for (int i = 0; i < count; i++) {
                  values[i] = BFloat16.value(bytes.getShort());
                }
                target.write(from, values, 0, count);
              };
          case I32 ->
              (from, bytes, count) -> {
                int[] values = new int[count];
                bytes.asIntBuffer().get(values);
                target.write(from, values, 0, count);
              };
          case I64 ->
              (from, bytes, count) -> {
                long[] values = new long[count];
                bytes.asLongBuffer().get(values);
                target.write(from, values, 0, count);
              };
        };
    forEachPiece(info, copy);
  }

  /** The values of an F32 tensor. */
  public float[] floats(String name) {
    TensorInfo info = ofType(name, DType.F32);
    float[] values = new float[length(info)];
    forEachPiece(
        info, (from, bytes, count) -> bytes.asFloatBuffer().get(values, (int) from, count));
    return values;
  }

  /** The values of an F64 tensor. */
  public double[] doubles(String name) {
    TensorInfo info = ofType(name, DType.F64);
    double[] values = new double[length(info)];
    forEachPiece(
        info, (from, bytes, count) -> bytes.asDoubleBuffer().get(values, (int) from, count));
    return values;
  }

  /** The values of an I32 tensor. */
  public int[] ints(String name) {
    TensorInfo info = ofType(name, DType.I32);
    int[] values = new int[length(info)];
    forEachPiece(info, (from, bytes, count) -> bytes.asIntBuffer().get(values, (int) from, count));
    return values;
  }

  /** The values of an I64 tensor. */
  public long[] longs(String name) {
    TensorInfo info = ofType(name, DType.I64);
    long[] values = new long[length(info)];
    forEachPiece(info, (from, bytes, count) -> bytes.asLongBuffer().get(values, (int) from, count));
    return values;
  }

  /**
   * The tensor as something that can be written to another file, byte for byte; this file must stay
   * open until then.
   */
  public StoredTensor stored(String name, String newName) {
    TensorInfo info =
        find(name)
            .orElseThrow(
                () ->
                    new InputException(file + ": no tensor '" + InputException.quote(name) + "'"));
    return new StoredTensor(
        newName,
        info.dtype(),
        info.shape(),
        (from, target) -> {
          try {
            readFully(
                file, channel, dataStart + info.begin() + from * info.dtype().bytes(), target);
          } catch (IOException e) {
            throw unreadable(file, e);
          }
        });
  }

  @Override
  public void close() {
    closeQuietly(channel);
  }

  private TensorInfo ofType(String name, DType dtype) {
    TensorInfo info = byName.get(name);
    return require(name, dtype, info == null ? Shape.of() : info.shape());
  }

  private int length(TensorInfo info) {
    long elements = info.shape().elements();
    if (elements > Integer.MAX_VALUE - 8) {
      throw new InputException(
          file
              + ": tensor '"
              + InputException.quote(info.name())
              + "' has "
              + elements
              + " elements, more than one array holds");
    }
    return (int) elements;
  }

  private void forEachPiece(TensorInfo info, Piece piece) {
    ByteBuffer buffer =
        ByteBuffer.allocate((int) Math.min(info.bytes(), Safetensors.CHUNK_BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    int width = info.dtype().bytes();
    try {
      for (long done = 0; done < info.bytes(); done += buffer.limit()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), info.bytes() - done));
        readFully(file, channel, dataStart + info.begin() + done, buffer);
        buffer.flip();
        piece.accept(done / width, buffer, buffer.limit() / width);
      }
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static void readFully(Path file, FileChannel channel, long at, ByteBuffer target)
      throws IOException {
    long position = at;
    while (target.hasRemaining()) {
      int read = channel.read(target, position);
      if (read < 0) {
        throw new InputException(file + ": ends at byte " + position + " while it is read");
      }
      position += read;
    }
  }

  private static InputException unreadable(Path file, IOException e) {
    return new InputException("cannot read " + file + ": " + FileWriteException.reason(e), e);
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException ignored) {
      // Nothing was written through it, so nothing is lost.
      return;
    }
  }
}
