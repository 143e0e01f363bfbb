package autosparse.costmodel.checkpoint;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Files that appear whole or not at all.
 *
 * <p>The content goes to {@code <name>.tmp} beside the target, is forced to the device, takes the
 * target's name in one move, and the folder is forced too. A reader sees the old file or the new
 * one; after a failure the temporary file is gone and the old file is as it was.
 */
public final class AtomicFiles {
  private static final String SUFFIX = ".tmp";
  private static final int BUFFER_BYTES = 1 << 16;

  private AtomicFiles() {}

  /** Writes a file's content. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** An open temporary file; a seam for tests of a failing disk. */
  interface Sink extends Closeable {
    OutputStream stream();

    /** Forces what was written to the device. */
    void force() throws IOException;
  }

  /** Opens a temporary file. */
  @FunctionalInterface
  interface Opener {
    Sink open(Path file) throws IOException;
  }

  /**
   * Writes {@code target}, replacing what is there.
   *
   * @throws FileWriteException if that fails; {@code target} is then as it was
   */
  public static void write(Path target, Content content) {
    write(target, content, AtomicFiles::openFile);
  }

  /** Writes text as UTF-8. */
  public static void writeText(Path target, String text) {
    write(target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  static void write(Path target, Content content, Opener opener) {
    Path temporary = temporaryOf(target);
    try {
      try (Sink sink = opener.open(temporary)) {
        OutputStream out = new BufferedOutputStream(sink.stream(), BUFFER_BYTES);
        content.writeTo(out);
        out.flush();
        sink.force();
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failure) {
      deleteQuietly(temporary, failure);
      throw new FileWriteException(target, failure);
    } catch (RuntimeException | Error failure) {
      deleteQuietly(temporary, failure);
      throw failure;
    }
    forceFolder(target.toAbsolutePath().getParent());
  }

  /** Where {@code target} is written before it gets its name. */
  public static Path temporaryOf(Path target) {
    return target.resolveSibling(target.getFileName() + SUFFIX);
  }

  private static void deleteQuietly(Path temporary, Throwable failure) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Makes a rename in the folder last. The file is complete under its name by now, and some systems
   * cannot open a folder at all, so a failure here is no reason to report the write as failed.
   */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException ignored) {
      return;
    }
  }

  /** A plain stream, not a channel: a channel is closed for good when its thread is interrupted. */
  private static Sink openFile(Path file) throws IOException {
    FileOutputStream stream = new FileOutputStream(file.toFile());
    FileDescriptor descriptor = stream.getFD();
    return new Sink() {
      @Override
      public OutputStream stream() {
        return stream;
      }

      @Override
      public void force() throws IOException {
        descriptor.sync();
      }

      @Override
      public void close() throws IOException {
        stream.close();
      }
    };
  }
}
