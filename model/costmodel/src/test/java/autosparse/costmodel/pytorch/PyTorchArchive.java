package autosparse.costmodel.pytorch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes files as {@code torch.save(model.state_dict(), …)} does, and broken ones. */
public final class PyTorchArchive {
  /** Pickle opcodes in protocol 2, written by hand so that tests do not trust what they test. */
  public static final class Pickle {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public Pickle() {
      op(0x80).op(2);
    }

    public Pickle op(int opcode) {
      bytes.write(opcode);
      return this;
    }

    public Pickle global(String module, String name) {
      return op('c').line(module).line(name);
    }

    public Pickle line(String text) {
      bytes.writeBytes((text + "\n").getBytes(StandardCharsets.US_ASCII));
      return this;
    }

    public Pickle text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      op('X').int32(utf8.length);
      bytes.writeBytes(utf8);
      return this;
    }

    public Pickle number(long value) {
      return op('J').int32(Math.toIntExact(value));
    }

    private Pickle int32(int value) {
      bytes.writeBytes(
          ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
      return this;
    }

    public Pickle tuple(long... values) {
      op('(');
      for (long value : values) {
        number(value);
      }
      return op('t');
    }

    /** {@code OrderedDict()}. */
    public Pickle orderedDict() {
      return global("collections", "OrderedDict").op(')').op('R');
    }

    /** A call of {@code _rebuild_tensor_v2}. */
    public Pickle tensor(
        String storageClass, String key, long elements, long offset, long[] sizes, long[] stride) {
      global("torch._utils", "_rebuild_tensor_v2").op('(').op('(').text("storage");
      global("torch", storageClass).text(key).text("cuda:0").number(elements).op('t').op('Q');
      number(offset).tuple(sizes).tuple(stride);
      return op(0x89).orderedDict().op('t').op('R');
    }

    public byte[] end() {
      op('.');
      return bytes.toByteArray();
    }
  }

  private final Pickle pickle = new Pickle().orderedDict().op('(');
  private final Map<String, byte[]> entries = new LinkedHashMap<>();

  private PyTorchArchive() {}

  /** A state dict with these tensors, dense and row-major. */
  public static byte[] stateDict(Map<String, float[]> values, Map<String, long[]> sizes)
      throws IOException {
    PyTorchArchive archive = new PyTorchArchive();
    sizes.forEach((name, size) -> archive.add(name, values.get(name), size));
    // SETITEMS, then {"_metadata": {"": {"version": 1}}} as the dict's attributes.
    archive.pickle.op('u').op('}').text("_metadata").orderedDict().text("").op('}');
    archive.pickle.text("version").number(1).op('s').op('s').op('s').op('b');
    return zip(archive.pickle.end(), archive.entries);
  }

  private void add(String name, float[] values, long[] sizes) {
    String key = String.valueOf(93955344147952L + 96L * entries.size());
    entries.put("data/" + key, bytes(values));
    pickle.text(name).tensor("FloatStorage", key, values.length, 0, sizes, rowMajor(sizes));
  }

  /** Little-endian bytes of floats. */
  public static byte[] bytes(float[] values) {
    ByteBuffer buffer =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(values);
    return buffer.array();
  }

  private static long[] rowMajor(long[] sizes) {
    long[] stride = new long[sizes.length];
    long step = 1;
    for (int axis = sizes.length - 1; axis >= 0; axis--) {
      stride[axis] = step;
      step *= sizes[axis];
    }
    return stride;
  }

  /** An archive of a pickle and further entries, uncompressed as PyTorch writes it. */
  public static byte[] zip(byte[] pickle, Map<String, byte[]> entries) throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("data.pkl", pickle);
    all.putAll(entries);
    all.put("version", "3\n".getBytes(StandardCharsets.US_ASCII));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> file : all.entrySet()) {
        CRC32 checksum = new CRC32();
        checksum.update(file.getValue());
        ZipEntry entry = new ZipEntry("archive/" + file.getKey());
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(file.getValue().length);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        zip.write(file.getValue());
      }
    }
    return out.toByteArray();
  }

  /** Writes bytes to a file of a folder. */
  public static Path write(Path folder, String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }
}
