package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.AtomicFiles;
import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a collection does to files; a seam for tests of crashes and full disks. */
interface Disk {
  /** The machine's. */
  Disk REAL =
      new Disk() {
        @Override
        public Appender append(Path file) throws IOException {
          FileOutputStream out = new FileOutputStream(file.toFile(), true);
          return new Appender() {
            @Override
            public void write(byte[] bytes) throws IOException {
              out.write(bytes);
            }

            @Override
            public void force() throws IOException {
              out.getFD().sync();
            }

            @Override
            public void close() throws IOException {
              out.close();
            }
          };
        }

        @Override
        public void write(Path file, byte[] content) {
          AtomicFiles.write(file, out -> out.write(content));
        }

        @Override
        public void delete(Path file) throws IOException {
          Files.deleteIfExists(file);
        }
      };

  /** A file that grows at its end. */
  interface Appender extends Closeable {
    /** Hands bytes to the system: they survive the end of this process, however it ends. */
    void write(byte[] bytes) throws IOException;

    /** Forces what was written to the device. */
    void force() throws IOException;
  }

  /** Opens a file to append, making it if need be. */
  Appender append(Path file) throws IOException;

  /** Writes a file that appears whole or not at all, and is on the device when this returns. */
  void write(Path file, byte[] content) throws IOException;

  /** Deletes a file if it is there. */
  void delete(Path file) throws IOException;
}
