package autosparse.costmodel.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  private static final String FULL = "No space left on device";

  @TempDir Path folder;
  private Path target;

  @BeforeEach
  void oldFile() throws IOException {
    target = folder.resolve("step.json");
    Files.writeString(target, "old");
  }

  /** A temporary file that takes some bytes and then fails, or fails when it is forced. */
  private static AtomicFiles.Opener failing(int room, boolean atForce) {
    return file -> {
      Files.writeString(file, "");
      OutputStream limited =
          new OutputStream() {
            private int written;

            @Override
            public void write(int b) throws IOException {
              write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
              written += length;
              if (!atForce && written > room) {
                throw new IOException(FULL);
              }
            }
          };
      return new AtomicFiles.Sink() {
        @Override
        public OutputStream stream() {
          return limited;
        }

        @Override
        public void force() throws IOException {
          if (atForce) {
            throw new IOException(FULL);
          }
        }

        @Override
        public void close() {}
      };
    };
  }

  private void assertOldFileOnly() throws IOException {
    assertEquals("old", Files.readString(target));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(target), files.toList());
    }
  }

  @Test
  void replacesTheOldFile() throws IOException {
    AtomicFiles.writeText(target, "new");
    assertEquals("new", Files.readString(target));
    assertFalse(Files.exists(AtomicFiles.temporaryOf(target)));
  }

  @Test
  void fullDiskLeavesTheOldFile() throws IOException {
    for (boolean atForce : new boolean[] {false, true}) {
      for (int room : new int[] {0, 10, 100_000}) {
        FileWriteException failure =
            assertThrows(
                FileWriteException.class,
                () ->
                    AtomicFiles.write(
                        target, out -> out.write(new byte[200_000]), failing(room, atForce)));
        assertEquals("cannot write " + target + ": " + FULL, failure.getMessage());
        assertOldFileOnly();
      }
    }
  }

  @Test
  void realFullDeviceSaysSo() throws IOException {
    Path device = Path.of("/dev/full");
    assumeTrue(Files.exists(device), "no /dev/full here");
    FileWriteException failure =
        assertThrows(
            FileWriteException.class,
            () ->
                AtomicFiles.write(
                    target,
                    out -> out.write(new byte[10]),
                    file -> {
                      FileOutputStream stream = new FileOutputStream(device.toFile());
                      return new AtomicFiles.Sink() {
                        @Override
                        public OutputStream stream() {
                          return stream;
                        }

                        @Override
                        public void force() {}

                        @Override
                        public void close() throws IOException {
                          stream.close();
                        }
                      };
                    }));
    assertEquals("cannot write " + target + ": " + FULL, failure.getMessage());
    assertOldFileOnly();
  }

  @Test
  void failureOfTheContentLeavesTheOldFile() throws IOException {
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFiles.write(
                target,
                out -> {
                  out.write(1);
                  throw new IllegalStateException("content");
                }));
    assertOldFileOnly();
  }

  @Test
  void missingFolderIsNamed() {
    Path nowhere = folder.resolve("none").resolve("file");
    FileWriteException failure =
        assertThrows(FileWriteException.class, () -> AtomicFiles.writeText(nowhere, ""));
    assertEquals(1, failure.getMessage().lines().count());
    assertEquals(0, failure.getMessage().indexOf("cannot write " + nowhere + ": "));
  }
}
