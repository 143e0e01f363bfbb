package autosparse.costmodel.pytorch;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import net.razorvine.pickle.PickleException;

/**
 * An open file of {@code torch.save(model.state_dict(), …)}, PyTorch 1.6 or newer: a zip archive
 * with the pickle {@code NAME/data.pkl} and each storage's little-endian bytes as {@code
 * NAME/data/KEY}.
 *
 * <p>Opening it reads the pickle; a tensor's values are read when they are asked for. Every failure
 * is an {@link InputException} of one line that names the file.
 */
public final class PyTorchFile implements AutoCloseable {
  private static final String PICKLE = "/data.pkl";

  /** Far more than a cost model has; keeps a small archive from unpacking into all memory. */
  private static final long MOST_BYTES = 64L << 20;

  private final Path file;
  private final ZipFile zip;
  private final String prefix;
  private final Map<String, TensorView> tensors;

  private PyTorchFile(Path file, ZipFile zip) throws IOException {
    this.file = file;
    this.zip = zip;
    ZipEntry pickle = pickle(file, zip);
    this.prefix = pickle.getName().substring(0, pickle.getName().length() - PICKLE.length() + 1);
    requireLittleEndian();
    try {
      this.tensors = Collections.unmodifiableMap(StateDictUnpickler.read(bytes(pickle)));
    } catch (PickleException e) {
      throw new InputException(file + ": " + pickle.getName() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Opens a file.
   *
   * @throws InputException if it cannot be read, is no whole archive of PyTorch, or holds anything
   *     besides a state dict of fp32 tensors
   */
  public static PyTorchFile open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InputException(file + ": no such file, expected one of torch.save");
    }
    ZipFile zip = null;
    PyTorchFile opened = null;
    try {
      zip = new ZipFile(file.toFile());
      opened = new PyTorchFile(file, zip);
      return opened;
    } catch (ZipException e) {
      throw new InputException(
          file
              + ": no whole zip archive ("
              + e.getMessage()
              + "), expected a file of torch.save of PyTorch 1.6 or newer",
          e);
    } catch (IOException e) {
      throw new InputException("cannot read " + file + ": " + FileWriteException.reason(e), e);
    } finally {
      if (opened == null && zip != null) {
        closeQuietly(zip);
      }
    }
  }

  private static ZipEntry pickle(Path file, ZipFile zip) {
    List<? extends ZipEntry> found =
        zip.stream()
            .filter(entry -> entry.getName().endsWith(PICKLE))
            .filter(entry -> entry.getName().indexOf('/') == entry.getName().lastIndexOf('/'))
            .toList();
    if (found.size() != 1) {
      throw new InputException(
          file + ": " + found.size() + " entries NAME" + PICKLE + ", expected one: not PyTorch's");
    }
    return found.get(0);
  }

  /** PyTorch 2.1 and newer say so; before, files were written in the machine's order. */
  private void requireLittleEndian() throws IOException {
    ZipEntry entry = zip.getEntry(prefix + "byteorder");
    if (entry != null) {
      String order = new String(bytes(entry), StandardCharsets.US_ASCII);
      if (!order.equals("little")) {
        throw new InputException(
            file
                + ": "
                + entry.getName()
                + " '"
                + InputException.quote(order)
                + "', expected little");
      }
    }
  }

  private byte[] bytes(ZipEntry entry) throws IOException {
    if (entry.getSize() > MOST_BYTES) {
      throw new InputException(
          file + ": " + entry.getName() + ": " + entry.getSize() + " bytes, at most " + MOST_BYTES);
    }
    byte[] bytes;
    try (InputStream in = zip.getInputStream(entry)) {
      bytes = in.readNBytes((int) entry.getSize());
    }
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    if (bytes.length != entry.getSize() || checksum.getValue() != entry.getCrc()) {
      throw new InputException(
          file + ": " + entry.getName() + ": does not match its CRC-32, the file is damaged");
    }
    return bytes;
  }

  public Path path() {
    return file;
  }

  /** The tensors by name, in the file's order. */
  public Map<String, TensorView> tensors() {
    return tensors;
  }

  /**
   * Values of a tensor, row-major.
   *
   * @throws InputException if its storage is missing or damaged
   */
  public float[] floats(String name) {
    TensorView view = tensors.get(name);
    if (view == null) {
      throw new IllegalArgumentException("no tensor '" + name + "' in " + file);
    }
    ZipEntry entry = zip.getEntry(prefix + "data/" + view.storage());
    boolean whole =
        entry != null
            && entry.getSize() % Float.BYTES == 0
            && entry.getSize() / Float.BYTES == view.storageElements();
    if (!whole || view.elements() > MOST_BYTES / Float.BYTES) {
      throw new InputException(
          file
              + ": tensor '"
              + InputException.quote(name)
              + "': storage '"
              + InputException.quote(view.storage())
              + "' of "
              + (entry == null ? 0 : entry.getSize())
              + " bytes, the pickle says "
              + view.storageElements()
              + " floats");
    }
    try {
      float[] values = new float[(int) view.storageElements()];
      ByteBuffer.wrap(bytes(entry)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      return view.gather(values);
    } catch (IOException e) {
      throw new InputException("cannot read " + file + ": " + FileWriteException.reason(e), e);
    }
  }

  @Override
  public void close() {
    closeQuietly(zip);
  }

  private static void closeQuietly(ZipFile zip) {
    try {
      zip.close();
    } catch (IOException ignored) {
      // Nothing was written through it, so nothing is lost.
      return;
    }
  }
}
